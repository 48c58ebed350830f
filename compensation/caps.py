"""What the default policy's caps leave a customer: for awards that no batch is priced with.

Pricing caps the awards of a batch set by set (`pricing.statement`, `pricing.given`); here the same
caps bound one award more. The default policy's version in force says them; where none is in force
or it has no caps, nothing is bounded.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from backoffice.customers.models import Customer, Subscription
from backoffice.money import granularity_minor
from compensation.models import Award, Batch, PolicyVersion
from compensation.models.award import BINDS, AwardState
from compensation.pricing.periods import add_months, calendar_period

# Binding, or waiting for an approver: pricing counts the same.
COUNTED = BINDS | Q(state=AwardState.PROPOSED, batch__state=Batch.State.SUBMITTED)


@dataclass(frozen=True)
class Room:
    """The narrowest cap on one award more: amounts in minor units, the period in UTC.

    `given_minor` counts what binds us or waits for approval, whatever it came from.
    """

    cap_minor: int
    given_minor: int
    period_start: datetime
    period_end: datetime
    currency: str

    @property
    def left_minor(self) -> int:
        """What still fits, in whole steps of the currency; 0 where it is used up."""
        left = max(self.cap_minor - self.given_minor, 0)
        return left - left % granularity_minor(self.currency)


def default_version() -> PolicyVersion | None:
    """The version in force of the default policy."""
    return PolicyVersion.objects.filter(
        policy__is_default=True, state=PolicyVersion.State.ACTIVE
    ).first()


def room_for(
    customer: Customer,
    currency: str,
    *,
    at: datetime,
    subscription: Subscription | None = None,
    besides: Award | None = None,
) -> Room | None:
    """What one credit more may come to in the period that holds `at`; None if nothing bounds it.

    `at` is when the award's incident began or, without one, now (UTC). With a subscription its
    own cap (percent of its fee) counts too. `besides` is an award that does not count: the one
    that is asked about. Hold `batches.wait_for_other_decisions` to decide on the answer.
    """
    version = default_version()
    if version is None:
        return None
    start, end = period_of(version, subscription, at)
    others = Award.objects.filter(
        COUNTED, benefit=Award.Benefit.CREDIT, currency=currency, customer=customer
    )
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    others = others.alias(of=Coalesce("incident__started_at", "created_at")).filter(
        of__gte=start, of__lt=end
    )
    bounds = []
    if (cap := version.cap_amounts.get(currency)) is not None:
        bounds.append((cap, _sum(others)))
    if (
        version.cap_percent is not None
        and subscription is not None
        and subscription.currency == currency
    ):
        cap = _share_of_fee(version, subscription, start, end)
        bounds.append((cap, _sum(others.filter(subscription=subscription))))
    rooms = [Room(cap, given, start, end, currency) for cap, given in bounds]
    return min(rooms, key=lambda room: room.left_minor, default=None)


def period_of(
    version: PolicyVersion, subscription: Subscription | None, at: datetime
) -> tuple[datetime, datetime]:
    """The period that holds `at`, as pricing takes it: calendar, or the billing period.

    Without a billing period that we know, the calendar month.
    """
    if version.fee_period != PolicyVersion.FeePeriod.BILLING:
        period = calendar_period(at, version.fee_period)
        return period.start, period.end
    if subscription is None or not (subscription.period_start and subscription.period_end):
        month = calendar_period(at, PolicyVersion.FeePeriod.MONTH)
        return month.start, month.end
    start, end = subscription.period_start, subscription.period_end
    if start <= at < end:
        return start, end
    # moved by whole intervals
    base, interval = (end if end <= at else start), subscription.interval_months
    steps = (at.year * 12 + at.month - base.year * 12 - base.month) // interval
    if add_months(base, steps * interval) > at:
        steps -= 1
    return add_months(base, steps * interval), add_months(base, (steps + 1) * interval)


def _share_of_fee(
    version: PolicyVersion, subscription: Subscription, start: datetime, end: datetime
) -> int:
    """`cap_percent` of the fee brought to the period, cut off to whole minor units."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if version.fee_period == PolicyVersion.FeePeriod.BILLING and subscription.period_start:
        months = subscription.interval_months
    fee = Fraction(subscription.fee_minor * months, subscription.interval_months)
    return int(fee * Fraction(version.cap_percent or 0) / 100)


def _sum(awards: QuerySet[Award]) -> int:
    """What was taken back does not count any more."""
    kept = F("amount_minor") - F("reversed_minor")
    return awards.order_by().aggregate(total=Sum(kept))["total"] or 0
