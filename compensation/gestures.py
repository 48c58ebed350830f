"""What somebody means to give out of goodwill, and whether it can be given at all."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.customers.models import Customer, Subscription
from backoffice.display import day
from backoffice.money import (
    LARGEST_AMOUNT_MINOR,
    format_money,
    granularity_minor,
    validate_currency,
)
from compensation.caps import Room, room_for
from compensation.models import Award
from compensation.models.award import BINDING
from incidents.models import Incident

# Stripe's longest trial (https://docs.stripe.com/billing/subscriptions/trials); ours for all days.
MOST_DAYS = 730
LONGEST_REASON = 500
_TRIALS = (Subscription.Status.TRIALING, Subscription.Status.ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gesture:
    """One benefit for one customer, meant but not yet given.

    `amount_minor` is in minor units of `currency` (credit only), `days` for the other benefits; a
    trial needs its `subscription`. `origin` is the number of the ticket it comes from. `reason` is
    for the customer to read; `despite` is for us: why, although their incident gives something
    already. `key` is chosen by the caller: the same key never gives twice.
    """

    customer: Customer
    benefit: str
    origin: str
    reason: str
    key: str
    amount_minor: int = 0
    currency: str = ""
    days: int = 0
    subscription: Subscription | None = None
    incident: Incident | None = None
    despite: str = ""

    def reread(self) -> "Gesture":
        """With customer and subscription as the database has them now."""
        subscription = self.subscription
        return replace(
            self,
            customer=Customer.objects.get(pk=self.customer.pk),
            subscription=subscription and Subscription.objects.get(pk=subscription.pk),
        )


def check_gesture(gesture: Gesture) -> None:
    """Whether it can be given by itself; limits, caps and what was given are looked at elsewhere.

    Raises:
        ValidationError: with the field that is wrong.
    """
    if not gesture.key or not gesture.origin:
        raise ValueError("A gesture has a key, and says where it comes from.")
    if not gesture.reason.strip():
        raise ValidationError({"reason": _("Say why: the customer reads it.")})
    if len(gesture.reason) > LONGEST_REASON:
        raise ValidationError(
            {"reason": _("Keep it below {n} characters.").format(n=LONGEST_REASON)}
        )
    subscription = gesture.subscription
    if subscription is not None and subscription.customer_id != gesture.customer.pk:
        raise ValidationError({"subscription": _("This is another customer's subscription.")})
    if gesture.benefit == Award.Benefit.CREDIT:
        _check_credit(gesture)
    elif gesture.benefit in {Award.Benefit.TRIAL, Award.Benefit.PRIORITY}:
        _check_days(gesture)
    else:
        raise ValidationError(
            {"benefit": _("Choose a credit, days of service or priority support.")}
        )


def check_caps_of(award: Award) -> Room | None:
    """The room that the caps leave for goodwill; None where nothing bounds it.

    `award` may be saved (it does not count against itself) or not; its incident, customer and
    subscription are read. Hold `batches.wait_for_other_decisions`.

    Raises:
        ValidationError: the credit is more than what fits, which is said.
    """
    if award.benefit != Award.Benefit.CREDIT:
        return None
    at = award.created_at if award.pk else timezone.now()
    if award.incident is not None:
        at = award.incident.started_at
    room = room_for(
        award.customer,
        award.currency,
        at=at,
        subscription=award.subscription,
        besides=award if award.pk else None,
    )
    if room is not None and award.amount_minor > room.left_minor:
        raise ValidationError({"amount": _refusal(award.amount_minor, room)})
    return room


def _refusal(amount_minor: int, room: Room) -> str:
    """Why `amount_minor` does not fit, and what would."""
    said = {
        "amount": format_money(amount_minor, room.currency),
        "cap": format_money(room.cap_minor, room.currency),
        "given": format_money(room.given_minor, room.currency),
        "left": format_money(room.left_minor, room.currency),
        "start": day(room.period_start),
        "end": day(room.period_end - timedelta(microseconds=1)),
    }
    if not room.left_minor:
        return _(
            "Nothing more fits: the policy's cap from {start} to {end} is {cap}, and {given} are "
            "given or wait for approval."
        ).format(**said)
    return _(
        "{amount} is too much, {left} would fit: the policy's cap from {start} to {end} is {cap}, "
        "and {given} are given or wait for approval."
    ).format(**said)


def trial_target(subscription: Subscription, days: int) -> datetime:
    """When the trial ends with `days` more (UTC); never sooner than it would.

    They come after the trial, after the paid time, and after what is promised to it already but
    not at Stripe yet.
    """
    promised = Award.objects.filter(
        subscription=subscription, benefit=Award.Benefit.TRIAL, state__in=BINDING
    ).values_list("trial_end_target", flat=True)
    ends = [subscription.trial_end, subscription.period_end, timezone.now(), *promised]
    return max(end for end in ends if end is not None) + timedelta(days=days)


def _check_credit(gesture: Gesture) -> None:
    amount_minor, currency = gesture.amount_minor, gesture.currency
    try:
        validate_currency(currency)
    except ValidationError as error:
        raise ValidationError({"currency": error.messages}) from None
    if gesture.days:
        raise ValidationError({"days": _("A credit comes without days.")})
    if amount_minor <= 0:
        raise ValidationError({"amount": _("Say how much.")})
    if amount_minor > LARGEST_AMOUNT_MINOR or amount_minor % granularity_minor(currency):
        raise ValidationError({"amount": _("Stripe takes no such amount.")})
    customer = gesture.customer
    if not customer.stripe_customer_id:
        raise ValidationError({"customer": _("The customer is not known at Stripe: no credit.")})
    if customer.currency not in {"", currency}:
        raise ValidationError(
            {"currency": _("Stripe bills them in {code}.").format(code=customer.currency)}
        )


def _check_days(gesture: Gesture) -> None:
    if gesture.amount_minor:
        raise ValidationError({"amount": _("Days come without an amount.")})
    if not 0 < gesture.days <= MOST_DAYS:
        raise ValidationError({"days": _("From 1 to {n} days.").format(n=MOST_DAYS)})
    if gesture.benefit == Award.Benefit.PRIORITY:
        return
    subscription = gesture.subscription
    if subscription is None:
        raise ValidationError({"subscription": _("Choose the subscription whose trial it is.")})
    if subscription.status not in _TRIALS or not subscription.stripe_subscription_id:
        raise ValidationError(
            {
                "subscription": _(
                    "Only a running subscription at Stripe can have more days of service."
                )
            }
        )
