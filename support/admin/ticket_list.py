"""The queue page."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from backoffice.listing import BigList, ReadOnly
from support.models import Ticket


class TicketList(ReadOnly, BigList):
    """The tickets that the reader may see, in the order of work."""

    list_display = ("number", "subject", "status", "customer", "assignee", "due_at")
    list_select_related = ("customer", "assignee", "queue")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        tickets: Any = super().get_queryset(request)  # type: ignore[misc]
        seen: QuerySet[Ticket] = tickets.seen_by(request.user)
        return seen
