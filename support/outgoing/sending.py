"""Messages whose time has come: claimed one by one, sent, and settled."""

import logging
import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from backoffice.channels.base import Outcome, Receipt
from support.addresses import own_addresses, without_tag
from support.automatic_answers import may_answer_again
from support.models import Message
from support.outgoing.settling import settle
from support.outgoing.wires import Wires
from support.outgoing.writing import message_id_for, outgoing_of

log = logging.getLogger(__name__)

LONGEST_SECONDS = 50.0
# Longer than any attempt: whoever has been sending for so long was killed.
LOST_AFTER = timedelta(minutes=10)


def send_messages(*, seconds: float = LONGEST_SECONDS) -> bool:
    """Send what is due, the longest due first; whether some is left after `seconds`.

    Each message is claimed, with its Message-ID, in a transaction that ends before the attempt.
    Several processes may do this at once.
    """
    until = time.monotonic() + seconds
    with Wires() as wires:
        while message := _claim():
            settle(message, _attempt(message, wires))
            if time.monotonic() > until:
                return _due().exists()
    return False


def settle_lost() -> int:
    """Say of messages whose worker was killed that they may have gone out or not; how many.

    They are not sent again by themselves: twice the same answer is worse than a person's look at
    one that failed (docs/decisions/0010-mail-at-most-once.md).
    """
    lost = Message.objects.filter(
        delivery=Message.Delivery.SENDING, sending_since__lt=timezone.now() - LOST_AFTER
    ).select_related("ticket")
    rows = list(lost[:500])
    for message in rows:
        words = "The worker was stopped while it sent this."
        settle(message, Receipt(Outcome.UNCERTAIN, error=words))
    return len(rows)


def _due() -> QuerySet[Message]:
    return Message.objects.filter(
        delivery=Message.Delivery.QUEUED, send_at__lte=timezone.now()
    ).order_by("send_at", "id")


@transaction.atomic
def _claim() -> Message | None:
    message = _due().select_for_update(skip_locked=True, of=("self",)).first()
    if message is None:
        return None
    Message.objects.filter(pk=message.pk).update(
        delivery=Message.Delivery.SENDING,
        sending_since=timezone.now(),
        attempts=F("attempts") + 1,
        message_id=message_id_for(message),
    )
    return Message.objects.select_related("ticket__queue").get(pk=message.pk)


def _attempt(message: Message, wires: Wires) -> Receipt:
    wire = wires.of(message.channel)
    if wire is None:
        return Receipt(Outcome.REFUSED, error=f"No way out is set up for {message.channel}.")
    if refusal := _refusal(message):
        return Receipt(Outcome.REFUSED, error=refusal)
    try:
        outgoing = outgoing_of(message)
    except Exception as error:
        # The storage of its files is away, or a fault of ours: nothing went out yet.
        log.exception("Message %s could not be written", message.pk)
        return Receipt(Outcome.LATER, error=f"{type(error).__name__}: {error}"[:500])
    try:
        return wire.send(outgoing)
    except Exception as error:
        # A fault of ours, after which nobody can say what went out.
        log.exception("Message %s could not be sent", message.pk)
        return Receipt(Outcome.UNCERTAIN, error=f"{type(error).__name__}: {error}"[:500])


def _refusal(message: Message) -> str:
    """Why it is not even tried, in words."""
    if not message.to:
        return "There is no address to send it to."
    if any(address.lower().endswith(".invalid") for address in message.to):
        return "Its sender left no address to answer to."
    if own_addresses().issuperset(without_tag(address) for address in message.to):
        return "It would come back to us: the address is our own."
    if message.is_automatic and not may_answer_again(message.to[0], besides=message):
        return "They got ten automatic answers in three hours: this may be a machine, too."
    return ""
