"""The first automatic answer to a new ticket, and the limit on all automatic answers."""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from support.models import Message, Ticket
from support.notices import acknowledgement_text
from support.tickets import reply

# So that two machines that answer each other soon stop, whatever they call themselves.
MOST_ANSWERS = 10
WITHIN = timedelta(minutes=180)


@transaction.atomic
def acknowledge(ticket: Ticket) -> Message | None:
    """Tell the customer, in the ticket's language, that their message is here and its number.

    None where the queue does not acknowledge, SUPPORT_ACKNOWLEDGES is off, nobody can be answered,
    or they got too many automatic answers lately.
    """
    if not (settings.SUPPORT_ACKNOWLEDGES and ticket.queue.acknowledges):
        return None
    if not ticket.requester_address or not may_answer_again(ticket.requester_address):
        return None
    text = acknowledgement_text(ticket)
    return reply(ticket, by=None, text=text, then_status="", is_automatic=True)


def may_answer_again(address: str, *, besides: Message | None = None) -> bool:
    """Whether a machine may send `address` one more: at most 10 in 180 minutes.

    `besides`, one that was written already, counts what was written before it. Within a
    transaction, others who ask about the same address wait until it ends.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 41))", [address.lower()])
    lately = Message.objects.filter(
        ticket__requester_address=address.lower(),
        direction=Message.Direction.OUT,
        is_automatic=True,
        created_at__gt=timezone.now() - WITHIN,
    ).exclude(delivery__in=[Message.Delivery.CANCELLED, Message.Delivery.FAILED])
    if besides is not None:
        lately = lately.filter(pk__lt=besides.pk)
    return lately.count() < MOST_ANSWERS
