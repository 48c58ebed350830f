"""What one recipient reads."""

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models.customer import Language
from support.macros import render_text
from support.macros.texts import pieces_of
from support.models import MassReply, Message, Ticket

# What is promised: never said unless it is approved for this very customer.
PROMISES = ("credit", "trial", "priority", "goodwill")
_BETWEEN_PARAGRAPHS = re.compile(r"\n[ \t]*\n+")


@dataclass(frozen=True, slots=True)
class Written:
    """The text and its language; `left_out` says why paragraphs that promise are not in it."""

    text: str
    language: str
    left_out: tuple[str, ...] = ()


def written_for(mass_reply: MassReply, ticket: Ticket, by: User | None) -> Written:
    """The reply to one ticket, as the customer reads it.

    A paragraph that promises a credit which is not approved for this customer is left out.

    Raises:
        ValidationError: something else in it is not known of this ticket, or nothing is left.
    """
    wanted = language_of(ticket)
    language = wanted if mass_reply.texts.get(wanted) else str(Language.ENGLISH)
    said: list[str] = []
    left_out: list[str] = []
    for paragraph in _BETWEEN_PARAGRAPHS.split(mass_reply.texts.get(language, "")):
        try:
            text = render_text(paragraph, ticket, by, language, kind=Message.Kind.PUBLIC)
        except ValidationError as error:
            if not promises(paragraph):
                raise
            left_out += error.messages
        else:
            said.append(text)
    if not any(said):
        raise ValidationError(_("Nothing is left to say to this customer."))
    return Written("\n\n".join(said), language, tuple(left_out))


def promises(paragraph: str) -> bool:
    """Whether a paragraph speaks of what is given."""
    names = [piece.name.split(".")[0] for piece in pieces_of(paragraph) if piece.name]
    return any(name in PROMISES for name in names)


def language_of(ticket: Any) -> str:
    """The customer's own language decides; where none is known, the ticket's."""
    return str(ticket.customer.language if ticket.customer else ticket.language)
