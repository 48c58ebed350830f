"""A macro's text for one ticket."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models.customer import Language
from support.macros.promises import RefusalError, UnknownError
from support.macros.texts import pieces_of
from support.macros.variables import VARIABLES, Matter
from support.models import Macro, Message, Ticket
from support.models.ticket import Channel


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text and its language; `is_other_language`: the macro has none in the ticket's own."""

    text: str
    language: str
    is_other_language: bool = False


def render_macro(macro: Macro, ticket: Ticket, by: User | None) -> Rendered:
    """The macro's text for `ticket` as `by` would send it; empty if it only acts.

    In the ticket's language, else the customer's, else English, else whatever there is.

    Raises:
        ValidationError: all that may not be said or is not known, a sentence each: a credit that
            is not approved, for one.
    """
    language = _language(macro, ticket)
    text = render_text(macro.texts.get(language, ""), ticket, by, language, kind=macro.kind)
    return Rendered(text, language, bool(text) and language != ticket.language)


def render_text(text: str, ticket: Ticket, by: User | None, language: str, *, kind: str) -> str:
    """`text` with its variables filled in; `kind` is that of the message it goes into.

    Raises:
        ValidationError: as `render_macro`.
    """
    matter = Matter(ticket, by, language)
    is_seen_by_all = kind == Message.Kind.PUBLIC and ticket.channel == Channel.SOCIAL
    said, problems = [], []
    for piece in pieces_of(text):
        if not piece.name:
            said.append(piece.text)
            continue
        try:
            said.append(_value(piece.name, piece.default, matter, is_public=is_seen_by_all))
        except RefusalError as refusal:
            problems.append(f"{{{{ {piece.name} }}}}: {refusal}")
    if problems:
        raise ValidationError({"text": list(dict.fromkeys(problems))})
    return "".join(said).strip()


def _value(name: str, default: str | None, matter: Matter, *, is_public: bool) -> str:
    """A default stands in for what is not known, never for what may not be said."""
    variable = VARIABLES.get(name)
    if variable is None:
        raise RefusalError(_("there is no such variable any more: correct the macro."))
    if is_public and not variable.is_public:
        raise RefusalError(_("everybody can read this post: answer in private."))
    try:
        value = variable.value(matter)
    except UnknownError:
        if default is None:
            raise
        return default
    if not value and default is None:
        raise RefusalError(_("nothing is known: write it yourself, or give a default."))
    return value or default or ""


def _language(macro: Macro, ticket: Ticket) -> str:
    own = ticket.customer.language if ticket.customer else ""
    for language in (ticket.language, own, Language.ENGLISH):
        if macro.texts.get(language):
            return str(language)
    return next((language for language, text in macro.texts.items() if text), ticket.language)
