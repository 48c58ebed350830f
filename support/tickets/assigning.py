"""Whose a ticket is, and where it waits."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from support.authority import worker_on
from support.models import Queue, Ticket, TicketEvent
from support.models.ticket import Status
from support.tickets.locking import locked, shown
from support.tickets.statuses import move_ticket
from support.timeline import record_event


@transaction.atomic
def assign(ticket: Ticket, assignee: User | None, *, by: User | None, reason: str = "") -> Ticket:
    """Give the ticket to `assignee`, or back to its queue (None). A new one becomes open.

    Raises:
        PermissionDenied: `by` may not.
        ValidationError: `assignee` may not work in the ticket's queue.
    """
    person = worker_on(ticket, by)
    row = locked(ticket)
    if assignee is not None:
        check_can_work(assignee, row)
    if row.assignee_id == (assignee.pk if assignee else None):
        return shown(ticket)
    before = row.assignee_id
    now = timezone.now()
    Ticket.objects.filter(pk=row.pk).update(
        assignee=assignee, assigned_at=now if assignee else None, updated_at=now
    )
    record_event(
        row.pk,
        TicketEvent.Kind.ASSIGNED,
        by=person,
        reason=reason,
        change=(before, assignee.pk if assignee else None),
    )
    if assignee is not None and row.status == Status.NEW:
        move_ticket(row, Status.OPEN, by=person, reason="assigned")
    return shown(ticket)


@transaction.atomic
def set_queue(ticket: Ticket, queue: Queue, *, by: User | None, reason: str = "") -> Ticket:
    """Move the ticket to another queue; an assignee who does not work there loses it.

    Raises:
        PermissionDenied, ValidationError (the queue is not active).
    """
    person = worker_on(ticket, by)
    if not queue.is_active:
        raise ValidationError({"queue": _("The queue “%(queue)s” is closed.") % {"queue": queue}})
    row = locked(ticket)
    if row.queue_id == queue.pk:
        return shown(ticket)
    before = row.queue_id
    Ticket.objects.filter(pk=row.pk).update(queue=queue, updated_at=timezone.now())
    record_event(
        row.pk, TicketEvent.Kind.QUEUE, by=person, reason=reason, change=(before, queue.pk)
    )
    row.refresh_from_db()
    if row.assignee and not Ticket.objects.seen_by(row.assignee).filter(pk=row.pk).exists():
        assign(row, None, by=None, reason="queue")
    return shown(ticket)


def check_can_work(user: User, ticket: Ticket) -> None:
    """Raises ValidationError unless `user` may answer in the ticket's queue."""
    can = user.is_active and user.is_staff and user.has_perm("support.answer_ticket")
    if not can or not Ticket.objects.seen_by(user).filter(pk=ticket.pk).exists():
        raise ValidationError(
            {"assignee": _("%(user)s does not work in this ticket's queue.") % {"user": user}}
        )
