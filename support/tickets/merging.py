"""Tickets that belong together: merged, split, parent and children."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError
from support.authority import worker_on
from support.drafts import move_drafts
from support.models import Message, Ticket, TicketEvent
from support.models.ticket import Status
from support.tickets.locking import locked, shown
from support.tickets.statuses import move_ticket
from support.timeline import record_event


@transaction.atomic
def merge_ticket(ticket: Ticket, *, into: Ticket, by: User | None, reason: str = "") -> Ticket:
    """Everything said in `ticket` goes on in `into`; `ticket` is closed and points there.

    Raises:
        PermissionDenied.
        ValidationError: it is the same ticket, or of another customer.
        MoveError: one of them is closed or merged already.
    """
    person = worker_on(ticket, by, "support.merge_ticket")
    worker_on(into, by, "support.merge_ticket")
    if ticket.pk == into.pk:
        raise ValidationError({"into": _("A ticket cannot be merged into itself.")})
    # always in the order of their numbers, so that two merges never wait for each other
    rows = {
        row.pk: row
        for row in Ticket.objects.select_for_update(of=("self",))
        .filter(pk__in=[ticket.pk, into.pk])
        .order_by("pk")
    }
    source, target = rows[ticket.pk], rows[into.pk]
    _check_mergeable(source, target)
    Message.objects.filter(ticket=source).update(ticket=target)
    source.inbound.update(ticket=target)
    source.children.update(parent=target)
    move_drafts(source, target)
    Ticket.objects.filter(pk=source.pk).update(merged_into=target, messages_count=0, parent=None)
    move_ticket(source, Status.CLOSED, by=person, reason=reason or f"merged into {target.number}")
    record_event(source.pk, TicketEvent.Kind.MERGED, by=person, reason=reason, into=target.pk)
    record_event(target.pk, TicketEvent.Kind.MERGED, by=person, reason=reason, source=source.pk)
    waits = [t.unanswered_since for t in (source, target) if t.unanswered_since]
    _count_again(target, unanswered_since=min(waits, default=None))
    if waits and target.status in {Status.WAITING, Status.SOLVED}:
        target.refresh_from_db()
        move_ticket(target, Status.OPEN, by=person, reason="merged")
    shown(ticket)
    return shown(into)


@transaction.atomic
def split_ticket(message: Message, *, by: User | None, subject: str = "") -> Ticket:
    """A ticket of its own for a matter that came up in another; the message moves there.

    Raises:
        PermissionDenied, ValidationError (not the customer's word, or the only one).
    """
    person = worker_on(message.ticket, by, "support.merge_ticket")
    row = locked(message.ticket)
    if message.direction != Message.Direction.IN:
        raise ValidationError({"message": _("Only a customer's message can become a ticket.")})
    if row.messages.filter(direction=Message.Direction.IN).count() < 2:  # noqa: PLR2004 - itself and another
        raise ValidationError({"message": _("It is the only one: nothing would be left here.")})
    now = timezone.now()
    split = Ticket.objects.create(
        subject=(subject.strip() or row.subject)[:300],
        channel=row.channel,
        language=message.language,
        queue=row.queue,
        customer=row.customer,
        requester_name=row.requester_name,
        requester_address=row.requester_address,
        unanswered_since=now,
        last_message_at=message.created_at,
        messages_count=1,
    )
    Message.objects.filter(pk=message.pk).update(ticket=split)
    record_event(
        split.pk, TicketEvent.Kind.OPENED, by=person, message=message.pk, channel=row.channel
    )
    record_event(split.pk, TicketEvent.Kind.SPLIT, by=person, source=row.pk)
    record_event(row.pk, TicketEvent.Kind.SPLIT, by=person, into=split.pk)
    _count_again(row)
    return shown(split)


@transaction.atomic
def set_parent(ticket: Ticket, parent: Ticket | None, *, by: User | None) -> Ticket:
    """Hang the ticket under `parent`, or let it stand alone (None). One level only.

    Raises:
        PermissionDenied, ValidationError (itself, or more than one level).
    """
    person = worker_on(ticket, by, "support.merge_ticket")
    row = locked(ticket)
    if parent is not None:
        worker_on(parent, by)
        _check_parent(row, parent)
    if row.parent_id != (parent.pk if parent else None):
        before = row.parent_id
        Ticket.objects.filter(pk=row.pk).update(parent=parent, updated_at=timezone.now())
        record_event(
            row.pk,
            TicketEvent.Kind.PARENT,
            by=person,
            change=(before, parent.pk if parent else None),
        )
    return shown(ticket)


def _check_mergeable(source: Ticket, target: Ticket) -> None:
    for row in (source, target):
        if row.status == Status.CLOSED:
            raise MoveError(_("%(ticket)s is closed.") % {"ticket": row.number})
    same = source.customer_id == target.customer_id and (
        source.customer_id is not None or source.requester_address == target.requester_address
    )
    if not same:
        raise ValidationError(
            {
                "into": _(
                    "%(ticket)s is somebody else's: merging would show one customer's words to "
                    "another."
                )
                % {"ticket": target.number}
            }
        )


def _check_parent(row: Ticket, parent: Ticket) -> None:
    if parent.pk == row.pk:
        raise ValidationError({"parent": _("A ticket cannot be its own parent.")})
    if parent.parent_id or row.children.exists():
        raise ValidationError({"parent": _("Parents have no parents: one level only.")})


def _count_again(row: Ticket, **changes: object) -> None:
    said = row.messages.aggregate(count=Count("id"), last=Max("created_at"))
    Ticket.objects.filter(pk=row.pk).update(
        messages_count=said["count"], last_message_at=said["last"], **changes
    )
