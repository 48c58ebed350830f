"""What a person does about a parked event."""

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError, move
from backoffice.webhooks.models import EventState, StripeEvent
from backoffice.webhooks.signals import events_waiting
from compensation.authority import person_with

MAY_SETTLE = "webhooks.settle_stripeevent"


def try_again(event: StripeEvent, *, by: User) -> None:
    """Handle a parked event once more, from its first attempt on.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: it is not parked.
    """
    person = person_with(by, MAY_SETTLE)
    now = timezone.now()
    move(event, EventState.WAITING, by=person, reason="try again", attempts=0, next_at=now)
    events_waiting.send_robust(StripeEvent, pk=event.pk)


def ignore(event: StripeEvent, *, by: User, reason: str) -> None:
    """Leave a parked event as it is for good, for `reason`.

    Raises:
        PermissionDenied: `by` may not.
        ValidationError: no reason is given.
        MoveError: it is not parked.
    """
    person = person_with(by, MAY_SETTLE)
    said = " ".join(reason.split())
    if not said:
        raise ValidationError({"reason": _("Say why it can be ignored.")})
    if event.state != EventState.PARKED:
        raise MoveError(_("Only a parked event can be ignored: the others settle themselves."))
    note = f"{person}: {said}"
    move(event, EventState.IGNORED, by=person, reason=said, note=note, handled_at=timezone.now())
