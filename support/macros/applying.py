"""Macros offered for a ticket, and applied to it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, Q
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from support.actions import perform
from support.authority import worker_on
from support.conditions import ConditionError, matching
from support.macros.rendering import render_macro
from support.models import Macro, Message, Ticket, TicketEvent
from support.models.ticket import Status
from support.tickets import add_note, reply
from support.timeline import record_event


def offered_macros(ticket: Ticket) -> list[Macro]:
    """The active macros of the ticket's queue, or of all, whose condition it fits; in order.

    Two queries, however many there are. One whose condition means nothing any more is left out.
    """
    macros = Macro.objects.filter(Q(queues=None) | Q(queues=ticket.queue_id), is_active=True)
    asked: dict[str, Any] = {}
    offered = []
    here = Ticket.objects.filter(pk=ticket.pk)
    for macro in macros.distinct():
        if not macro.condition.strip():
            offered.append(macro)
            continue
        try:
            asked[f"macro_{macro.pk}"] = Exists(matching(here, macro.condition))
        except ConditionError:
            continue
        offered.append(macro)
    fits = here.values(**asked).get() if asked else {}
    return [macro for macro in offered if fits.get(f"macro_{macro.pk}", True)]


@transaction.atomic
def apply_macro(
    macro: Macro, ticket: Ticket, *, by: User | None, text: str | None = None
) -> Message | None:
    """Answer with the macro, then do what it does; all of it or nothing.

    `text` is what an agent made of the macro's words before sending them (empty: send nothing);
    without it the macro's own are rendered. `by` None is a rule. The message, if one was written.

    Raises:
        PermissionDenied, MoveError: as the ticket's verbs.
        ValidationError: something may not be said (`render_macro`), or cannot be done.
    """
    person = worker_on(ticket, by)
    if not macro.is_active:
        raise ValidationError(_("The macro “%(macro)s” is switched off.") % {"macro": macro})
    message = _answer(macro, ticket, person, text)
    perform(macro.actions, ticket, by=person, reason=f"macro {macro.name}")
    record_event(
        ticket.pk,
        TicketEvent.Kind.MACRO,
        by=person,
        name=macro.name,
        macro=macro.pk,
        message=message.pk if message else None,
    )
    return message


def _answer(macro: Macro, ticket: Ticket, by: User | None, text: str | None) -> Message | None:
    language = ticket.language
    if text is None:
        rendered = render_macro(macro, ticket, by)
        text, language = rendered.text, rendered.language
    if not text.strip():
        return None
    if macro.kind == Message.Kind.INTERNAL:
        return add_note(ticket, by=by, text=text)
    return reply(
        ticket,
        by=by,
        text=text,
        kind=macro.kind,
        language=language,
        then_status=_status(macro),
        is_automatic=by is None,
    )


def _status(macro: Macro) -> str:
    """Where the answer leaves the ticket: where the macro says, so that it moves once."""
    said = [given.get("status", "") for given in macro.actions if given.get("do") == "set_status"]
    return str(said[-1]) if said else Status.WAITING
