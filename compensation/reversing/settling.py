"""A person's decision on a reversal whose outcome nothing at Stripe could prove."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError, history
from compensation.authority import person_with
from compensation.models import Reversal
from compensation.models.reversal import ReversalState
from compensation.reversing.asking import locked_request
from compensation.reversing.deciding import APPROVE
from compensation.reversing.orders import order_for
from compensation.reversing.writing import Returned, write_returned


def settle_reversal(
    reversal: Reversal, *, by: User, was_booked: bool, stripe_id: str = "", reason: str
) -> Reversal:
    """Say of an unknown reversal whether Stripe has it; `stripe_id` is its transaction there.

    Booked, it is written as if Stripe had answered; not booked, it has failed and can be sent
    again.

    Raises:
        PermissionDenied: `by` may not approve reversals.
        ValidationError: no reason, or no id of what was booked.
        MoveError: its outcome is known.
    """
    person = person_with(by, APPROVE)
    if not reason.strip():
        raise ValidationError({"reason": _("Say how you know.")})
    if was_booked and not stripe_id.strip():
        raise ValidationError({"stripe_id": _("Say under which id Stripe has it.")})
    with transaction.atomic(), history(by=person, reason=reason):
        locked_request(reversal.request)
        row = Reversal.objects.select_for_update(of=("self",)).get(pk=reversal.pk)
        if row.state != ReversalState.UNKNOWN:
            raise MoveError(f"This reversal is {row.state}: its outcome is known.")
        row.error_code, row.error_message = "decided", f"{person}: {reason.strip()}"
        row.state = ReversalState.SENDING if was_booked else ReversalState.FAILED
        row.save(update_fields=["state", "error_code", "error_message"])
        if was_booked:
            order = order_for(
                row,
                key=row.idempotency_key,
                first_sent_at=row.first_sent_at or timezone.now(),
                is_fresh=False,
            )
            write_returned([Returned(order, stripe_id.strip())], by=person)
    row.refresh_from_db()
    return row
