"""Who stands before a door of a ticket, and which ticket is behind it."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from support.models import Message, Ticket

_WITH = (
    "customer", "assignee", "queue", "incident", "merged_into", "parent", "sla_policy",
    "supposed_customer",
)  # fmt: skip


def reader(request: HttpRequest, permission: str = "support.view_ticket") -> User:
    """The signed-in person.

    Raises:
        PermissionDenied: they may not see tickets, or lack `permission`.
    """
    user = request.user
    allowed = user.has_perm("support.view_ticket") and user.has_perm(permission)
    if not isinstance(user, User) or not allowed:
        raise PermissionDenied
    return user


def ticket_for(
    request: HttpRequest, pk: int | str, permission: str = "support.view_ticket"
) -> tuple[Ticket, User]:
    """The ticket, with all that its page names, and who asks.

    Raises:
        PermissionDenied, Http404: there is none, or it is in a queue that is not theirs.
    """
    user = reader(request, permission)
    # Longer numbers fit no id.
    if not str(pk).isdecimal() or len(str(pk)) > 18:  # noqa: PLR2004
        raise Http404(_("There is no such ticket."))
    found = Ticket.objects.seen_by(user).select_related(*_WITH).defer("search").filter(pk=pk)
    ticket = found.first()
    if ticket is None:
        raise Http404(_("There is no such ticket, or it is in a queue that is not yours."))
    return ticket, user


def message_for(
    request: HttpRequest, pk: int, message_pk: int, permission: str = "support.view_ticket"
) -> tuple[Message, User]:
    """A message of the ticket, with the ticket; errors as `ticket_for`'s."""
    ticket, user = ticket_for(request, pk, permission)
    message = Message.objects.filter(ticket=ticket, pk=message_pk).first()
    if message is None:
        raise Http404(_("There is no such message."))
    message.ticket = ticket
    return message, user
