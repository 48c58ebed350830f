"""What is said in a ticket: the customer's words, answers, notes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError
from support import signals
from support.authority import worker_on
from support.models import Attachment, Message, Ticket, TicketEvent
from support.models.ticket import Status
from support.tickets.locking import locked, shown
from support.tickets.statuses import move_ticket
from support.timeline import record_event

LATEST = timedelta(days=365)


@transaction.atomic
def receive_message(ticket: Ticket, *, text: str, **fields: Any) -> Message:
    """The customer's further word. It opens what was waiting or solved.

    An automatic one (`is_automatic`: a bounce, an out-of-office answer) only stands there, in a
    closed ticket, too.

    Raises:
        MoveError: the ticket is closed or merged: open another that points at it.
    """
    row = locked(ticket)
    if row.status == Status.CLOSED and not fields.get("is_automatic"):
        raise MoveError(_("This ticket is closed: open a new one."))
    message = Message.objects.create(
        **{
            "ticket": row,
            "kind": Message.Kind.PUBLIC,
            "direction": Message.Direction.IN,
            "channel": row.channel,
            "customer": row.customer,
            "author_name": row.requester_name,
            "author_address": row.requester_address,
            "text": text,
            "language": row.language,
        }
        | fields
    )
    now = timezone.now()
    changes: dict[str, Any] = {"messages_count": F("messages_count") + 1, "last_message_at": now}
    if not message.is_automatic:
        changes["unanswered_since"] = row.unanswered_since or now
    Ticket.objects.filter(pk=row.pk).update(**changes)
    record_event(
        row.pk,
        TicketEvent.Kind.MESSAGE_IN,
        by=None,
        message=message.pk,
        automatic=message.is_automatic,
    )
    if not message.is_automatic and row.status not in {Status.NEW, Status.OPEN}:
        move_ticket(row, Status.OPEN, by=None, reason="customer wrote")
    shown(ticket)
    return message


@transaction.atomic
def reply(  # noqa: PLR0913 - by keyword, most of them optional
    ticket: Ticket,
    *,
    by: User | None,
    text: str,
    kind: str = Message.Kind.PUBLIC,
    then_status: str = Status.WAITING,
    send_at: datetime | None = None,
    attachments: Iterable[Attachment] = (),
    is_automatic: bool = False,
    **fields: Any,
) -> Message:
    """Answer the customer: at once, less some seconds to undo it, or at `send_at` (UTC).

    The ticket moves to `then_status` now, or when a scheduled answer is sent; empty: it stays.
    An automatic answer neither counts as a response nor moves the ticket.

    Raises:
        PermissionDenied, ValidationError, MoveError (closed).
    """
    person = worker_on(ticket, by)
    row = locked(ticket)
    if row.status == Status.CLOSED:
        raise MoveError(_("This ticket is closed: an answer needs a new one."))
    _check_answer(text, then_status, send_at)
    now = timezone.now()
    is_scheduled = send_at is not None and send_at > now
    moves = bool(then_status) and not is_automatic
    message = Message.objects.create(
        **{
            "ticket": row,
            "kind": kind,
            "direction": Message.Direction.OUT,
            "channel": row.channel,
            "author": person,
            "to": [row.requester_address] if row.requester_address else [],
            "text": text,
            "language": row.language,
            "is_automatic": is_automatic,
            "delivery": Message.Delivery.QUEUED,
            "send_at": send_at or now + undo_time(is_automatic=is_automatic or person is None),
            "then_status": then_status if is_scheduled and moves else "",
        }
        | fields
    )
    _attach(message, attachments)
    record_event(
        row.pk,
        TicketEvent.Kind.MESSAGE_OUT,
        by=person,
        message=message.pk,
        automatic=is_automatic,
        scheduled=message.send_at.isoformat() if is_scheduled and message.send_at else "",
        status_before=row.status,
        unanswered_since=row.unanswered_since.isoformat() if row.unanswered_since else "",
        first_response=row.first_response_at is None and not is_automatic,
        **({"mass_reply": fields["mass_reply"].pk} if fields.get("mass_reply") else {}),
    )
    if not is_automatic and not is_scheduled:
        answered(row, at=now, moves_to=then_status, by=person)
    Ticket.objects.filter(pk=row.pk).update(messages_count=F("messages_count") + 1)
    transaction.on_commit(partial(signals.messages_queued.send, sender=Message))
    shown(ticket)
    return message


@transaction.atomic
def add_note(
    ticket: Ticket,
    *,
    by: User | None,
    text: str,
    attachments: Iterable[Attachment] = (),
    key: str = "",
) -> Message:
    """A word among colleagues. No customer sees it, and no clock stops for it.

    Raises:
        PermissionDenied, ValidationError.
    """
    person = worker_on(ticket, by)
    if not text.strip():
        raise ValidationError({"text": _("Write the note first.")})
    message = Message.objects.create(
        ticket=ticket,
        kind=Message.Kind.INTERNAL,
        direction=Message.Direction.INSIDE,
        channel=ticket.channel,
        author=person,
        text=text,
        language=ticket.language,
        key=key,
    )
    _attach(message, attachments)
    Ticket.objects.filter(pk=ticket.pk).update(messages_count=F("messages_count") + 1)
    record_event(ticket.pk, TicketEvent.Kind.NOTE, by=person, message=message.pk)
    shown(ticket)
    return message


@transaction.atomic
def take_back(message: Message, *, by: User) -> Message:
    """Undo an answer that has not been sent yet; the ticket goes back to where it was.

    Raises:
        PermissionDenied.
        MoveError: it is on its way already.
    """
    person = worker_on(message.ticket, by)
    row = locked(message.ticket)
    taken = Message.objects.filter(pk=message.pk, delivery=Message.Delivery.QUEUED).update(
        delivery=Message.Delivery.CANCELLED
    )
    if not taken:
        raise MoveError(_("This answer is on its way already: it cannot be taken back."))
    record_event(row.pk, TicketEvent.Kind.MESSAGE_CANCELLED, by=person, message=message.pk)
    _stand_as_before(row, message, person)
    message.refresh_from_db(fields=["delivery"])
    return message


def answered(row: Ticket, *, at: datetime, moves_to: str, by: User | None) -> None:
    """Our word is out: the customer waits no longer, and the ticket moves on. `row` is locked."""
    changes: dict[str, Any] = {"unanswered_since": None, "last_message_at": at}
    if row.first_response_at is None:
        changes["first_response_at"] = at
    Ticket.objects.filter(pk=row.pk).update(**changes)
    if moves_to and moves_to != row.status and row.can_move(moves_to):
        move_ticket(row, moves_to, by=by, reason="answered")


def undo_time(*, is_automatic: bool) -> timedelta:
    """How long an answer waits before it goes out; what no person wrote needs no undoing."""
    return timedelta(seconds=0 if is_automatic else settings.SUPPORT_UNDO_SECONDS)


def _stand_as_before(row: Ticket, message: Message, person: User | None) -> None:
    said = (
        TicketEvent.objects.filter(
            ticket=row, kind=TicketEvent.Kind.MESSAGE_OUT, data__message=message.pk
        )
        .order_by("-id")
        .first()
    )
    if said is None or said.data["scheduled"]:
        return
    later = row.messages.filter(pk__gt=message.pk).exclude(kind=Message.Kind.INTERNAL)
    if later.exclude(delivery=Message.Delivery.CANCELLED).exists():
        return
    changes: dict[str, Any] = {"unanswered_since": said.data["unanswered_since"] or None}
    if said.data["first_response"]:
        changes["first_response_at"] = None
    Ticket.objects.filter(pk=row.pk).update(**changes)
    before = said.data["status_before"]
    if before != row.status and row.can_move(Status.OPEN):
        move_ticket(
            row, before if row.can_move(before) else Status.OPEN, by=person, reason="undone"
        )


def _check_answer(text: str, then_status: str, send_at: datetime | None) -> None:
    problems = {}
    if not text.strip():
        problems["text"] = _("Write the answer first.")
    if then_status and then_status not in Status.values:
        problems["then_status"] = _("“%(status)s” is no status.") % {"status": then_status}
    if send_at and send_at > timezone.now() + LATEST:
        problems["send_at"] = _("An answer can be scheduled for the coming year at most.")
    if problems:
        raise ValidationError(problems)


def _attach(message: Message, attachments: Iterable[Attachment]) -> None:
    for attachment in attachments:
        attachment.message, attachment.draft = message, None
        attachment.save(update_fields=["message", "draft"])
