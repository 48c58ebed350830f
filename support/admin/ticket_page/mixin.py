"""What the ticket's admin has of the page: its views and its doors."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from support.admin.ticket_page import composing, doors, files, fragments, macros, opening
from support.admin.ticket_page.access import ticket_for
from support.admin.ticket_page.page import page
from support.models import Ticket

_VIEWS = [
    ("<int:pk>/do/<slug:verb>/", doors.do, "do"),
    ("<int:pk>/send/", composing.send, "send"),
    ("<int:pk>/preview/", composing.preview, "preview"),
    ("<int:pk>/draft/", composing.keep_draft, "draft"),
    ("<int:pk>/draft/files/", composing.upload, "upload"),
    ("<int:pk>/draft/files/<int:file_pk>/remove/", composing.remove_file, "remove_file"),
    ("<int:pk>/messages/", fragments.earlier, "earlier"),
    ("<int:pk>/came/", fragments.came, "came"),
    ("<int:pk>/people/", fragments.people, "people"),
    ("<int:pk>/candidates/", fragments.candidates, "candidates"),
    ("<int:pk>/customers/", fragments.customers, "customers"),
    ("<int:pk>/macros/", macros.offered, "macros"),
    ("<int:pk>/macros/<int:macro_pk>/", macros.rendered, "macro"),
    ("<int:pk>/messages/<int:message_pk>/undo/", doors.undo, "undo"),
    ("<int:pk>/messages/<int:message_pk>/again/", doors.again, "again"),
    ("<int:pk>/messages/<int:message_pk>/split/", doors.split, "split"),
    ("<int:pk>/messages/<int:message_pk>/delivery/", fragments.delivery, "delivery"),
    ("<int:pk>/messages/<int:message_pk>/html/", files.html, "html"),
    ("<int:pk>/messages/<int:message_pk>/raw/", files.raw, "raw"),
    ("<int:pk>/files/<int:file_pk>/", files.download, "file"),
    ("add/customers/", opening.customers, "add_customers"),
]


class TicketPage:
    """Views of one ticket. Everything that changes it is a button, the composer or a dialog."""

    def get_object(self, request: HttpRequest, object_id: str, *more: Any) -> Ticket | None:
        # Otherwise the admin would lead whoever sees no ticket on to its first page.
        if not request.user.has_perm("support.view_ticket"):
            raise PermissionDenied
        found: Ticket | None = super().get_object(request, object_id, *more)  # type: ignore[misc]
        return found

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("support.answer_ticket")

    def get_urls(self) -> list[URLPattern]:
        site: Any = self.admin_site  # type: ignore[attr-defined]
        own = [
            path(url, site.admin_view(view), name=f"support_ticket_{name}")
            for url, view, name in _VIEWS
        ]
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return own + urls

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page where agents live; what changes it are doors of their own."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        ticket, user = ticket_for(request, object_id)
        site: Any = self.admin_site  # type: ignore[attr-defined]
        context = {
            **site.each_context(request),
            "opts": Ticket._meta,
            "title": ticket.number,
            "original": ticket,
            **page(request, ticket, user),
        }
        return TemplateResponse(request, "admin/support/ticket/page.html", context)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A ticket taken down for a customer who calls."""
        return opening.open_for_customer(request)
