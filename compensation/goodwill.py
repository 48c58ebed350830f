"""Goodwill: given at once, or asked of finance where it is more than the giver may give.

Whose limits hold is the caller's to know. To look at limits and give in one go, open a
transaction, call `batches.wait_for_other_decisions`, look, then call a verb here: nobody else
gives, submits, approves or retries meanwhile.
"""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.condition_syntax import ConditionError
from backoffice.customers.models import Customer
from backoffice.numbering import next_number
from backoffice.states import MoveError, history, move
from compensation.authority import person_with
from compensation.batches import approvals_needed, wait_for_other_decisions
from compensation.budgets import check_fits, fits, fits_of_batch
from compensation.caps import default_version
from compensation.digests import batch_digest
from compensation.gestures import Gesture, check_caps_of, check_gesture, trial_target
from compensation.issuing.waking import wake_issuing
from compensation.models import Award, Batch
from compensation.models.award import AwardState
from compensation.models.batch import BatchState
from compensation.pricing import expected
from incidents.models import Incident

PERMISSION = "compensation.give_goodwill"
_GIVEN_UP = (BatchState.REJECTED, BatchState.CANCELLED)


def give_goodwill(gesture: Gesture, *, by: User) -> Award:
    """Give it: approved at once, issued like any other award. The same key gives once.

    Raises:
        PermissionDenied: `by` may not give goodwill.
        ValidationError: it cannot be given, the caps or the budget leave less (the figures are
            said), or the customer's incident gives something and `despite` does not say why more.
        MoveError: the key was used for something else, or waits for finance.
    """
    person = person_with(by, PERMISSION)
    with transaction.atomic():
        wait_for_other_decisions()
        if (earlier := given_under(gesture)) is not None:
            if earlier.batch_id is not None:
                raise MoveError("This waits for finance already.")
            return earlier
        award = _award(gesture, by=person)
        award.state = AwardState.APPROVED
        award.destination = _destination(award)
        with history(by=person, reason=award.reason):
            award.save(force_insert=True)
        # Rows are the queue: should the broker be away, the beat finds the award.
        transaction.on_commit(wake_issuing, robust=True)
    return award


def propose_goodwill(gesture: Gesture, *, by: User) -> Batch:
    """Ask finance for it: a batch of one award, submitted by `by`, who therefore cannot approve it.

    Raises:
        PermissionDenied, ValidationError: as `give_goodwill`.
        MoveError: the key was used for something else, or it was given already.
    """
    person = person_with(by, PERMISSION)
    with transaction.atomic():
        wait_for_other_decisions()
        if (earlier := given_under(gesture)) is not None:
            if earlier.batch is None:
                raise MoveError("This was given already.")
            return earlier.batch
        award = _award(gesture, by=person)
        with history(by=person, reason=award.reason):
            award.batch = _priced_batch(person)
            award.save(force_insert=True)
        check_fits(fits_of_batch(award.batch, at=timezone.now()), "amount")
        move(
            award.batch,
            BatchState.SUBMITTED,
            by=person,
            reason=award.reason,
            digest=batch_digest(award.batch),
            approvals_needed=approvals_needed(award.batch),
            submitted_by=person,
            submitted_at=timezone.now(),
        )
    return award.batch


def preview_goodwill(gesture: Gesture, *, by: User) -> Award:
    """The award that would be made of it now, not saved; nothing is locked.

    Raises:
        PermissionDenied, ValidationError: as `give_goodwill`.
    """
    return _award(gesture, by=person_with(by, PERMISSION))


def already_given(customer: Customer, incident: Incident) -> list[Award]:
    """What `customer` has, gets or would get for `incident`, oldest first, with their batches.

    Also what is only priced or waits for approval, and what failed and may be sent again; not what
    was left out, taken back, or whose batch was rejected or cancelled.
    """
    awards = Award.objects.filter(customer=customer, incident=incident)
    return list(
        awards.exclude(state__in=[AwardState.EXCLUDED, AwardState.REVERSED])
        .exclude(batch__state__in=_GIVEN_UP)
        .select_related("batch")
        .order_by("id")
    )


def incident_gives(customer: Customer, incident: Incident) -> list[Award]:
    """`already_given` and, before any batch is priced, what the default policy would give.

    Awards that are only expected are not saved; a policy that cannot be priced expects nothing.
    """
    given = already_given(customer, incident)
    version = default_version()
    if version is None or any(award.source == Award.Source.BATCH for award in given):
        return given
    try:
        return [*given, *expected(customer, incident, version)]
    except ConditionError:
        return given


def given_under(gesture: Gesture) -> Award | None:
    """What was given, or asked for, under the gesture's key before.

    Raises:
        MoveError: it was something else.
    """
    earlier = (
        Award.objects.filter(given_key=gesture.key).select_related("batch").first()
        if gesture.key
        else None
    )
    same = ("benefit", "amount_minor", "currency", "days", "origin")
    if earlier is not None and (
        earlier.customer_id != gesture.customer.pk
        or any(getattr(earlier, name) != getattr(gesture, name) for name in same)
    ):
        raise MoveError("Something else was given here meanwhile: reload and look again.")
    return earlier


def _award(gesture: Gesture, *, by: User) -> Award:
    """Checked and complete, but not saved. Call it under the lock."""
    gesture = gesture.reread()
    check_gesture(gesture)
    _check_despite(gesture)
    subscription, now = gesture.subscription, timezone.now()
    award = Award(
        source=Award.Source.GOODWILL,
        customer=gesture.customer,
        subscription=subscription,
        incident=gesture.incident,
        benefit=gesture.benefit,
        amount_minor=gesture.amount_minor,
        currency=gesture.currency,
        days=gesture.days,
        plan=subscription.plan if subscription else "",
        country=gesture.customer.country,
        given_by=by,
        origin=gesture.origin,
        reason=gesture.reason.strip(),
        despite=gesture.despite.strip(),
        given_key=gesture.key,
    )
    if gesture.benefit == Award.Benefit.TRIAL and subscription is not None:
        award.trial_end_target = trial_target(subscription, gesture.days)
    elif gesture.benefit == Award.Benefit.PRIORITY:
        award.priority_until = now + timedelta(days=gesture.days)
    if award.currency:
        check_fits(fits({award.currency: award.amount_minor}, at=now), "amount")
    room = check_caps_of(award)
    if room is not None:
        award.cap_minor, award.given_minor = room.cap_minor, room.given_minor
        award.period_start, award.period_end = room.period_start, room.period_end
    return award


def _check_despite(gesture: Gesture) -> None:
    if gesture.incident is None or gesture.despite.strip():
        return
    if incident_gives(gesture.customer, gesture.incident):
        raise ValidationError(
            {
                "despite": _(
                    "{incident} gives this customer something already: say why they get more."
                ).format(incident=gesture.incident.number)
            }
        )


def _priced_batch(person: User) -> Batch:
    return Batch.objects.create(
        kind=Batch.Kind.GOODWILL,
        number=next_number(Batch),
        state=BatchState.PRICED,
        priced_at=timezone.now(),
        created_by=person,
    )


def _destination(award: Award) -> str:
    """Where it is sent at Stripe, as approval freezes it for batches (`digests.DESTINATION`)."""
    if award.benefit == Award.Benefit.CREDIT:
        return award.customer.stripe_customer_id or ""
    if award.benefit == Award.Benefit.TRIAL and award.subscription is not None:
        return award.subscription.stripe_subscription_id or ""
    return ""
