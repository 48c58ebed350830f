"""Which ticket a message goes on with."""

from dataclasses import dataclass

from backoffice.channels.base import Incoming, Nature
from backoffice.channels.email.tokens import thread_in_addresses, thread_in_subject
from support.intake.senders import belongs
from support.models import Message, Ticket
from support.models.ticket import Status


@dataclass(frozen=True, slots=True)
class Found:
    """The ticket a message names, and whether it may go on there; why not, in words."""

    ticket: Ticket | None = None
    goes_on: bool = False
    why_not: str = ""


def find_ticket(incoming: Incoming) -> Found:
    """By our token, then by the Message-IDs it answers; only for who takes part in the ticket.

    A report that brings back a mail of ours, or an answer for somebody away, comes from addresses
    we never wrote to: it passes by our signature or the id of a mail of ours, which nobody guesses.
    """
    ticket, is_proven = _named(incoming)
    if ticket is None:
        return Found()
    machine = incoming.nature in {Nature.BOUNCE, Nature.AWAY}
    if not (belongs(incoming.sender.address, ticket) or (machine and is_proven)):
        return Found(ticket, why_not="its sender takes no part in it")
    if ticket.status == Status.CLOSED and not machine:
        return Found(ticket, why_not="it is closed")
    return Found(ticket, goes_on=True)


def answered_messages(incoming: Incoming) -> list[Message]:
    """Our messages that it says it answers, the nearest first."""
    return [
        message
        for message in _by_ids(incoming.answers)
        if message.direction == Message.Direction.OUT
    ]


def _named(incoming: Incoming) -> tuple[Ticket | None, bool]:
    """The ticket it names, followed to where it went on, and whether a secret of ours proves it."""
    addresses = [party.address for party in (*incoming.recipients, *incoming.copied)]
    if signed := thread_in_addresses(addresses):
        return _followed(signed), True
    known = _by_ids(incoming.answers)
    ours = any(message.direction == Message.Direction.OUT for message in known)
    if (marked := thread_in_subject(incoming.subject)) and (ticket := _followed(marked)):
        return ticket, ours
    return (_followed(str(known[0].ticket_id)), ours) if known else (None, False)


def _by_ids(ids: tuple[str, ...]) -> list[Message]:
    if not ids:
        return []
    # The second condition is the index's own.
    rows = Message.objects.filter(message_id__in=ids).exclude(message_id="")
    rank = {found: number for number, found in enumerate(ids)}
    return sorted(rows.order_by("id")[:200], key=lambda message: rank[message.message_id])


def _followed(pk: str) -> Ticket | None:
    """The ticket, or the one it was merged into; None where there is none."""
    ticket = Ticket.objects.filter(pk=int(pk)).select_related("customer", "queue").first()
    for _ in range(20):
        if ticket is None or ticket.merged_into_id is None:
            break
        ticket = (
            Ticket.objects.filter(pk=ticket.merged_into_id)
            .select_related("customer", "queue")
            .first()
        )
    return ticket
