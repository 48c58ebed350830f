"""The weights of the priority, what they would make of the queue, and the words that tell moods."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from backoffice.listing import ReadOnly
from compensation.admin.doors import post_only
from support.forms import WeightsForm
from support.models import PrioritySetting, PriorityWord
from support.priority import PARTS, change_weights, current_weights, preview_weights

CHANGES_SHOWN = 10


@admin.register(PrioritySetting)
class PrioritySettingAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """One row, so the list is the page: the weights, and the queue as they would order it."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = super().get_urls()
        return [
            path("preview/", wrap(self.preview_view), name="support_prioritysetting_preview"),
            path("save/", wrap(self.save_view), name="support_prioritysetting_save"),
            *urls,
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._page(request, WeightsForm(instance=current_weights()))

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("admin:support_prioritysetting_changelist")

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The queue under the weights as they stand in the form; nothing is saved."""
        if refusal := post_only(request, "support.change_prioritysetting"):
            return refusal
        form = WeightsForm(request.POST, instance=current_weights())
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            context["preview"] = preview_weights(form.instance, user=request.user)
        return TemplateResponse(request, "admin/support/priority/preview.html", context)

    def save_view(self, request: HttpRequest) -> HttpResponse:
        if refusal := post_only(request, "support.change_prioritysetting"):
            return refusal
        form = WeightsForm(request.POST, instance=current_weights())
        if not form.is_valid():
            return self._page(request, form)
        user: Any = request.user
        change_weights(form.instance, by=user)
        messages.success(request, _("Saved. The waiting tickets get their new scores now."))
        return redirect("admin:support_prioritysetting_changelist")

    def _page(self, request: HttpRequest, form: WeightsForm) -> HttpResponse:
        setting: Any = current_weights()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Priority weights"),
            "setting": setting,
            "form": form,
            "weights": [form[part] for part in PARTS],
            "limits": [form["normal_from"], form["high_from"], form["urgent_from"]],
            "preview": preview_weights(setting, user=request.user),
            "may_change": request.user.has_perm("support.change_prioritysetting"),
            "changes": _changes(setting),
        }
        return TemplateResponse(request, "admin/support/priority/page.html", context)


def _changes(setting: Any) -> list[dict[str, Any]]:
    events = setting.events.select_related("changed_by").order_by("-pgh_id")[:CHANGES_SHOWN]
    fields = {field.name: field for field in PrioritySetting._meta.fields}
    names = {part: str(fields[part].verbose_name) for part in PARTS}
    return [
        {
            "at": event.pgh_created_at,
            "who": event.changed_by,
            "weights": ", ".join(f"{name} {getattr(event, part)}" for part, name in names.items()),
        }
        for event in events
    ]


@admin.register(PriorityWord)
class PriorityWordAdmin(ModelAdmin):  # type: ignore[misc]
    """What is read from customers' words: leads add theirs."""

    list_display = ("word", "language", "points")
    list_filter = (("language", ChoicesDropdownFilter),)
    search_fields = ("word",)
    list_per_page = 100
