"""What some of the recipients would read, before anything is sent."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import F
from django.db.models.functions import Coalesce

from backoffice.accounts.models import User
from support.mass_reply.rendering import Written, written_for
from support.models import MassReply, MassReplyRecipient

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One real recipient with their text, or why it cannot be written."""

    recipient: MassReplyRecipient
    written: Written | None
    problems: tuple[str, ...] = ()


def preview(
    mass_reply: MassReply, *, by: User | None, language: str = "", count: int = SHOWN
) -> list[Row]:
    """Some recipients at random, of one language if it is given; the text may be unsaved."""
    waiting = (
        MassReplyRecipient.objects.filter(
            mass_reply=mass_reply.pk, state=MassReplyRecipient.State.WAITING
        )
        .select_related("ticket__customer", "ticket__incident")
        .annotate(language=Coalesce(F("ticket__customer__language"), F("ticket__language")))
    )
    if language:
        waiting = waiting.filter(language=language)
    return [_row(mass_reply, recipient, by) for recipient in waiting.order_by("?")[:count]]


def _row(mass_reply: MassReply, recipient: MassReplyRecipient, by: User | None) -> Row:
    try:
        return Row(recipient, written_for(mass_reply, recipient.ticket, by))
    except ValidationError as error:
        return Row(recipient, None, tuple(error.messages))
