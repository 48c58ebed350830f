"""Where a ticket stands."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import move
from support.authority import worker_on
from support.models import Ticket, TicketEvent
from support.models.ticket import Status
from support.tickets.locking import locked, shown
from support.timeline import record_event


@transaction.atomic
def set_status(ticket: Ticket, status: str, *, by: User | None, reason: str = "") -> Ticket:
    """Move the ticket. Setting the status it has changes nothing.

    Raises:
        PermissionDenied, ValidationError (no such status), MoveError (not from here).
    """
    person = worker_on(ticket, by)
    if status not in Status.values:
        raise ValidationError({"status": _("“%(status)s” is no status.") % {"status": status}})
    row = locked(ticket)
    if row.status != status:
        move_ticket(row, status, by=person, reason=reason)
    return shown(ticket)


def move_ticket(row: Ticket, status: str, *, by: User | None, reason: str) -> None:
    """The move itself, with its line in the timeline; `row` is locked, and may be moved by `by`."""
    before = row.status
    now = timezone.now()
    changes: dict[str, Any] = {"updated_at": now}
    if status == Status.SOLVED:
        changes["solved_at"] = now
    if status == Status.CLOSED:
        changes["closed_at"] = now
    if before == Status.SOLVED and status == Status.OPEN:
        changes |= {"solved_at": None, "reopened": F("reopened") + 1}
    move(row, status, by=by, reason=reason, **changes)
    record_event(row.pk, TicketEvent.Kind.STATUS, by=by, reason=reason, change=(before, status))
