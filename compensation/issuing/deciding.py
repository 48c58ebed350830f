"""A person decides what became of an award, where nothing at Stripe could prove it.

One person is enough: what is given and to whom was approved before, and none of these can change
it. Each verb asks Stripe first, and refuses what Stripe disproves.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError, move
from compensation.authority import person_with
from compensation.issuing.looking import Sight, look_at_stripe
from compensation.issuing.waking import wake_issuing
from compensation.issuing.writing import write_adopted
from compensation.ledger import already_booked
from compensation.models import Award, LedgerEntry
from compensation.models.award import AwardState

DECIDE = "compensation.decide_award"
# The code of an award that was given up; it is not sent again together with others.
GIVEN_UP = "given_up"


def adopt_award(award: Award, *, by: User, stripe_id: str, reason: str) -> Award:
    """It was booked: as the transaction `stripe_id` (of a trial, by the subscription's date).

    Where Stripe shows it, it must be what was approved; where Stripe shows nothing any more (a
    deleted customer, for one), the person's word counts, and the history says so.

    Raises:
        PermissionDenied: `by` may not.
        ValidationError: no reason, or that transaction is not this award's.
        MoveError: the award is not unknown any more, or Stripe does not answer.
    """
    person = _person(award, by, reason)
    sight = look_at_stripe(award)
    if award.benefit == Award.Benefit.TRIAL:
        stripe_id = award.destination
        _check_trial(award, sight)
    else:
        stripe_id = stripe_id.strip()
        _check_transaction(award, sight, stripe_id)
    said = _("Was booked: {reason}").format(reason=reason.strip())
    if sight.refusal:
        said += " " + _("(Stripe could not show it: {words})").format(words=sight.refusal)
    with transaction.atomic():
        row = _locked(award)
        write_adopted(row, stripe_id=stripe_id, by=person, reason=said)
        transaction.on_commit(wake_issuing, robust=True)
    award.refresh_from_db()
    return award


def resend_award(award: Award, *, by: User, reason: str) -> Award:
    """It was not booked: send it again, under a new key.

    Raises:
        PermissionDenied: `by` may not.
        ValidationError: no reason.
        MoveError: Stripe shows it as booked, does not answer, or the award is not unknown any more.
    """
    person = _person(award, by, reason)
    _check_not_booked(award)
    with transaction.atomic():
        # `attempt` stays, so that the new key counts on
        move(
            _locked(award),
            AwardState.APPROVED,
            by=person,
            reason=_("Was not booked, send again: {reason}").format(reason=reason.strip()),
            idempotency_key="",
            parameters_hash="",
            first_sent_at=None,
            error_code="",
            error_message="",
        )
        transaction.on_commit(wake_issuing, robust=True)
    award.refresh_from_db()
    return award


def give_up_award(award: Award, *, by: User, reason: str) -> Award:
    """The customer does not get it from this award: failed, and not sent again with others.

    Raises:
        PermissionDenied: `by` may not.
        ValidationError: no reason.
        MoveError: Stripe or our ledger has it, Stripe does not answer, or the award is not
            unknown any more.
    """
    person = _person(award, by, reason)
    _check_not_booked(award)
    if already_booked([award.pk]):
        raise MoveError(
            "The ledger has it: it was issued before, and lost at Stripe. Send it again, or say "
            "that it was booked; then it can be taken back."
        )
    with transaction.atomic():
        move(
            _locked(award),
            AwardState.FAILED,
            by=person,
            reason=_("Given up: {reason}").format(reason=reason.strip()),
            error_code=GIVEN_UP,
            error_message=reason.strip(),
        )
        transaction.on_commit(wake_issuing, robust=True)
    award.refresh_from_db()
    return award


def _person(award: Award, by: User, reason: str) -> User:
    person = person_with(by, DECIDE)
    if not reason.strip():
        raise ValidationError({"reason": _("Say how you know.")})
    if award.state != AwardState.UNKNOWN:
        raise MoveError(f"This award is {award.state}: only an unknown outcome is decided.")
    return person


def _locked(award: Award) -> Award:
    """As it is now: what another person made of it must not be moved on from there."""
    row = Award.objects.select_for_update(of=("self",)).get(pk=award.pk)
    if row.state != AwardState.UNKNOWN:
        raise MoveError("Somebody else has just decided this award: reload and look again.")
    return row


def _check_not_booked(award: Award) -> None:
    sight = look_at_stripe(award)
    if award.benefit == Award.Benefit.TRIAL and sight.is_marked:
        raise MoveError("Stripe shows this extension on the subscription: it was booked.")
    if sight.booked:
        raise MoveError(f"Stripe shows it as {sight.booked}: it was booked.")


def _check_trial(award: Award, sight: Sight) -> None:
    if sight.refusal or sight.is_marked or sight.trial_end == award.trial_end_target:
        return
    raise ValidationError(
        {"stripe_id": _("Stripe does not show the extended trial on this subscription.")}
    )


def _check_transaction(award: Award, sight: Sight, stripe_id: str) -> None:
    if not stripe_id:
        raise ValidationError({"stripe_id": _("Which transaction at Stripe is it?")})
    if _is_taken(award, stripe_id):
        raise ValidationError({"stripe_id": _("That transaction belongs to another award.")})
    if sight.refusal:
        return
    found = [line for line in sight.lines if line.stripe_id == stripe_id]
    if not found:
        raise ValidationError(
            {"stripe_id": _("This customer has no such transaction since the award was sent.")}
        )
    if found[0].is_of_another:
        raise ValidationError({"stripe_id": _("That transaction belongs to another award.")})
    if not found[0].is_right:
        raise ValidationError({"stripe_id": _("Its amount or currency is not this award's.")})


def _is_taken(award: Award, stripe_id: str) -> bool:
    others = Award.objects.filter(customer=award.customer_id).exclude(pk=award.pk)
    entries = LedgerEntry.objects.filter(~Q(award=award.pk), customer=award.customer_id)
    return (
        others.filter(stripe_id=stripe_id).exists() or entries.filter(stripe_id=stripe_id).exists()
    )
