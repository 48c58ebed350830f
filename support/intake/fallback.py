"""The ticket of what could not be handled."""

from django.utils import timezone

from backoffice.channels.email.charsets import decode
from backoffice.channels.email.reading import read_sender
from support.models import Inbound, Ticket
from support.tickets import open_ticket

# Nobody can be answered there (RFC 2606), and the sending side knows it.
NO_ADDRESS = "unknown@no-sender.invalid"
SHOWN_BYTES = 20_000


def open_unreadable(row: Inbound) -> Ticket:
    """A ticket with the beginning of `row` as it came, for a person to look at."""
    raw = bytes(row.raw)
    ticket = open_ticket(
        subject="A message that could not be read",
        text=decode(raw[:SHOWN_BYTES])[0].strip() or "(nothing)",
        channel=row.channel,
        requester_address=read_sender(raw)[:320] or NO_ADDRESS,
        tags=["unreadable"],
        is_automatic=True,
        unreadable="It could not be handled: this is its beginning, as it came.",
    )
    row.state = Inbound.State.FAILED
    row.ticket = ticket
    row.message = ticket.messages.first()
    row.handled_at = timezone.now()
    row.save(update_fields=["state", "ticket", "message", "handled_at"])
    return ticket
