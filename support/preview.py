"""An answer as its customer will get it, before it is sent."""

from dataclasses import dataclass

from backoffice.accounts.models import User
from support.models import Message, Ticket
from support.notices import render


@dataclass(frozen=True, slots=True)
class Preview:
    """What arrives: subject and plain text, with signature and whatever else stands around it."""

    to: str
    subject: str
    text: str


def preview_of(ticket: Ticket, *, by: User, text: str) -> Preview:
    """`text` as the mail that an answer of `by`'s would be; nothing is stored."""
    message = Message(
        ticket=ticket,
        kind=Message.Kind.PUBLIC,
        direction=Message.Direction.OUT,
        channel=ticket.channel,
        author=by,
        to=[ticket.requester_address] if ticket.requester_address else [],
        text=text.strip(),
        language=ticket.language,
    )
    mail = render(message)
    to = ticket.requester_address or str(ticket.customer or "")
    return Preview(to=to, subject=mail.subject, text=mail.text)
