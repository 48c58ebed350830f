"""The queue page: the tickets in the order of work, and what is done with them from there."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from backoffice.listing import ReadOnly
from support.admin.ticket_list.doors import list_urls
from support.admin.ticket_list.page import queue_page
from support.models import Ticket


class TicketList(ReadOnly):
    """The tickets that the reader may see. The admin's own change list is not used."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        tickets: Any = super().get_queryset(request)  # type: ignore[misc]
        seen: QuerySet[Ticket] = tickets.seen_by(request.user)
        return seen

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return list_urls(self.admin_site) + urls  # type: ignore[attr-defined]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return queue_page(request)
