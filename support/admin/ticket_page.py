"""The page of one ticket."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from support.models import Ticket


class TicketPage:
    """The conversation, beside it the customer, below it the composer."""

    fields = ("subject", "status", "queue", "assignee", "customer", "incident")

    def get_object(self, request: HttpRequest, object_id: str, *more: Any) -> Ticket | None:
        # Otherwise the admin would lead whoever sees no ticket on to its first page.
        if not request.user.has_perm("support.view_ticket"):
            raise PermissionDenied
        found: Ticket | None = super().get_object(request, object_id, *more)  # type: ignore[misc]
        return found
