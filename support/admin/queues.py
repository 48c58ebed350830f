"""Queues: where tickets wait, and who works there."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from unfold.admin import ModelAdmin
from unfold.decorators import display

from support.admin.desk_forms import QueueForm
from support.assignment import hindrances
from support.models import Queue
from support.queues import save_queue


@admin.register(Queue)
class QueueAdmin(ModelAdmin):  # type: ignore[misc]
    """Set up by leads and administrators."""

    form = QueueForm
    # One by one: the default queue stays.
    actions = None
    list_display = ("name", "state", "assignment_label", "people", "needs", "email")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    filter_horizontal = ("members",)
    change_form_outer_before_template = "admin/support/queue/given.html"
    fieldsets = (
        (None, {"fields": ("name", "slug", "is_default", "is_active", "members")}),
        (later("Who gets its tickets"), {"fields": ("assignment", "skills")}),
        (later("Mail"), {"fields": ("email", "acknowledges", "signature")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Queue]:
        queues: QuerySet[Queue] = super().get_queryset(request)
        return queues.annotate(members_count=Count("members"))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        queue = None
        if object_id is not None and object_id.isdecimal():
            queue = Queue.objects.filter(pk=object_id).first()
        more = {"given": hindrances(queue)} if queue and self.has_view_permission(request) else {}
        return super().changeform_view(request, object_id, form_url, (extra_context or {}) | more)

    def has_delete_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and not (obj and obj.is_default)

    def save_model(self, request: HttpRequest, obj: Queue, form: Any, change: bool) -> None:  # noqa: FBT001
        save_queue(obj)

    @display(
        description=later("state"),
        label={"default": "info", "active": "success", "closed": "warning"},
    )
    def state(self, queue: Queue) -> tuple[str, str]:
        if queue.is_default:
            return "default", _("default")
        return ("active", _("active")) if queue.is_active else ("closed", _("closed"))

    @display(description=later("assignment"))
    def assignment_label(self, queue: Queue) -> str:
        return queue.get_assignment_display()

    @display(description=later("members"))
    def people(self, queue: Any) -> str:
        return str(queue.members_count) if queue.members_count else _("everybody")

    @display(description=later("skills"))
    def needs(self, queue: Queue) -> str:
        return ", ".join(queue.skills) or "–"
