"""Mass replies: the list, and the page where one is drafted, looked at, sent and watched."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from support.admin.flood import mass_reply_doors
from support.admin.flood.mass_reply_page import page
from support.models import MassReply

STATE_LABELS = {
    "draft": "default",
    "running": "info",
    "paused": "warning",
    "done": "success",
    "cancelled": "default",
}


@admin.register(MassReply)
class MassReplyAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """Drafted from an incident's page; everything else is a button here."""

    list_display = ("what", "state_label", "goes_to", "started_by", "started")
    list_select_related = ("incident", "started_by")
    list_filter = (("state", ChoicesDropdownFilter),)
    search_fields = ("incident__number",)
    search_help_text = _("Number of the incident")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MassReply]:
        replies: QuerySet[MassReply] = super().get_queryset(request)
        return replies.annotate(
            written=Count("recipients", filter=Q(recipients__state="written")),
            waiting=Count("recipients", filter=Q(recipients__state="waiting")),
        )

    @display(description=_("incident"), header=True)
    def what(self, reply: MassReply) -> tuple[str, str]:
        return reply.incident.title, reply.incident.number

    @display(description=_("state"), label=STATE_LABELS)
    def state_label(self, reply: MassReply) -> tuple[str, str]:
        return reply.state, reply.get_state_display()

    @display(description=_("tickets"))
    def goes_to(self, reply: Any) -> str:
        told = _("%(written)s written, %(waiting)s waiting")
        return str(told % {"written": reply.written, "waiting": reply.waiting})

    @display(description=_("started"))
    def started(self, reply: MassReply) -> SafeString | str:
        return moment(reply.started_at)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(f"{route}/", wrap(view), name=f"support_massreply_{name}")
            for route, view, name in mass_reply_doors.doors()
        ]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one."""
        if not object_id.isdecimal():
            raise Http404("There is no such mass reply.")
        reply = (
            MassReply.objects.select_related("incident", "created_by", "started_by")
            .filter(pk=object_id)
            .first()
        )
        if not self.has_view_permission(request, reply):
            raise PermissionDenied
        if reply is None:
            raise Http404("There is no such mass reply.")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": reply,
            "title": _("Mass reply to %(number)s") % {"number": reply.incident.number},
            **page(request, reply),
        }
        return TemplateResponse(request, "admin/support/mass_reply/page.html", context)
