"""What an attempt to send leaves behind."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from backoffice.channels.base import Outcome, Receipt
from support.models import Message, Ticket, TicketEvent
from support.models.ticket import Status
from support.tickets import answered, locked, move_ticket
from support.timeline import record_event

# 1, 2, 4 ... minutes, an hour at the most, for about a day.
LONGEST_PAUSE = timedelta(hours=1)
ATTEMPTS = 28
UNCERTAIN = "It may have arrived or not: look before you send it again."


@transaction.atomic
def settle(message: Message, receipt: Receipt) -> None:
    """Write down what became of a message that is being sent.

    An answer that cannot be sent opens a ticket that waits on its customer: they wait on us.
    """
    if receipt.outcome is Outcome.LATER and message.attempts < ATTEMPTS:
        _put_back(message, receipt)
    elif receipt.outcome is Outcome.SENT:
        _sent(message, receipt)
    else:
        _failed(message, receipt)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts that could not reach the other end."""
    return min(timedelta(minutes=2 ** min(attempts - 1, 10)), LONGEST_PAUSE)


def _put_back(message: Message, receipt: Receipt) -> None:
    _settled(
        message,
        delivery=Message.Delivery.QUEUED,
        send_at=timezone.now() + pause_after(message.attempts),
        delivery_error=receipt.error[:500],
    )


def _sent(message: Message, receipt: Receipt) -> None:
    now = timezone.now()
    changes = {"message_id": receipt.external_id} if receipt.external_id else {}
    is_ours = _settled(
        message, delivery=Message.Delivery.SENT, sent_at=now, delivery_error="", **changes
    )
    if is_ours and _was_scheduled(message):
        row = locked(message.ticket)
        answered(row, at=now, moves_to=message.then_status, by=message.author)


def _failed(message: Message, receipt: Receipt) -> None:
    words = [receipt.error]
    if receipt.outcome is Outcome.UNCERTAIN:
        words.append(UNCERTAIN)
    error = " ".join(filter(None, words))[-500:]
    if not _settled(message, delivery=Message.Delivery.FAILED, delivery_error=error):
        return
    record_event(
        message.ticket_id, TicketEvent.Kind.DELIVERY, by=None, reason=error,
        message=message.pk, state=Message.Delivery.FAILED,
    )  # fmt: skip
    if not message.is_automatic:
        _wait_again(message)


def _wait_again(message: Message) -> None:
    row = locked(message.ticket)
    if row.unanswered_since is None:
        Ticket.objects.filter(pk=row.pk).update(unanswered_since=message.created_at)
    if row.status == Status.WAITING:
        move_ticket(row, Status.OPEN, by=None, reason="answer not sent")


def _settled(message: Message, **changes: object) -> bool:
    """Whether it was still being sent: of two who settle it, one loses."""
    rows = Message.objects.filter(pk=message.pk, delivery=Message.Delivery.SENDING)
    return bool(rows.update(sending_since=None, **changes))


def _was_scheduled(message: Message) -> bool:
    if message.is_automatic:
        return False
    said = TicketEvent.objects.filter(
        ticket_id=message.ticket_id, kind=TicketEvent.Kind.MESSAGE_OUT, data__message=message.pk
    ).first()
    return said is not None and bool(said.data.get("scheduled"))
