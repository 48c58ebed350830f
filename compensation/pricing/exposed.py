"""The exposures of an incident with all that pricing reads, and the rows each one fits."""

from datetime import datetime
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    DateTimeField,
    DecimalField,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    JSONField,
    Q,
    QuerySet,
    SmallIntegerField,
    Value,
    When,
)
from django.db.models.expressions import Combinable, Expression, RawSQL
from django.db.models.functions import Cast, Coalesce, ExtractMonth, ExtractYear, Floor

from backoffice.customers.models import Subscription
from compensation.models import PolicyVersion
from compensation.pricing.counting import Step, joined
from compensation.pricing.matching import Downtime, fits
from compensation.pricing.periods import calendar_period
from compensation.pricing.terms import WEIGHTS_SCALE, Terms
from incidents.models import Exposure, Outage

COLUMNS = {
    "currency": Coalesce("subscription__currency", "customer__currency"),
    "customer_currency": F("customer__currency"),
    "country": F("customer__country"),
    "stripe_customer_id": F("customer__stripe_customer_id"),
    "plan": Coalesce("subscription__plan", Value("")),
    "status": Coalesce("subscription__status", Value("")),
    "stripe_subscription_id": F("subscription__stripe_subscription_id"),
    "trial_end": F("subscription__trial_end"),
    "paid_until": F("subscription__period_end"),
    "fee_minor": F("subscription__fee_minor"),
    "interval_months": F("subscription__interval_months"),
}


class PlusMonths(Func):
    """PlusMonths(moment, months): PostgreSQL's month arithmetic, which stops at a month's end."""

    template = "(%(expressions)s))"
    arg_joiner = " + make_interval(months => "
    output_field = DateTimeField()


class Milliseconds(Func):
    """Milliseconds(end, start): whole milliseconds between two moments."""

    template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s) * 1000)::bigint"
    arg_joiner = " - "
    output_field = BigIntegerField()


class Positions(Func):
    """The positions of all rows that fit, in order."""

    template = "array_remove(ARRAY[%(expressions)s], NULL)::smallint[]"
    output_field = SmallIntegerField()


def exposed(terms: Terms) -> QuerySet[Exposure, Any]:
    """One row an exposure: whom, since when, for how long, and `rule` or `rules` that it fits.

    Where each outage is priced by itself, one row an outage of each exposure. `downtime` is in
    parts of a millisecond (`Terms.scale`).
    """
    rows = Exposure.objects.filter(incident=terms.incident)
    if terms.customer_id is not None:
        rows = rows.filter(customer=terms.customer_id)
    rows = rows.alias(major=_seconds(terms, Outage.Impact.MAJOR))
    rows = rows.alias(partial=_seconds(terms, Outage.Impact.PARTIAL))
    if terms.partial_permille == 0 and not terms.counts_outages:
        # Hit in no way that this policy counts.
        rows = rows.filter(Q(major__gt=0) | Q(partial=0))
    rows, counted = _with_downtime(rows, terms)
    rows = _with_period(rows, terms)
    if terms.version.holdout_percent:
        counted["reference"] = F("customer__reference")
    return rows.order_by().values(
        "id", "cohort_id", "customer_id", "subscription_id",
        major=F("major"), partial=F("partial"), downtime=F("downtime"),
        period_start=F("since"), period_end=F("until"),
        period_ms=F("lasting"), period_months=F("months"),
        **COLUMNS, **counted, **_found(terms),
    )  # fmt: skip


def spell(terms: Terms) -> Step | None:
    """Each exposure's own period, or None where all have one."""
    if terms.period is not None:
        return None
    rows: Any = _with_period(Exposure.objects.filter(incident=terms.incident), terms)
    return Step(
        *rows.order_by().values("id", begins=F("since"), ends=F("until")).query.sql_with_params()
    )


def _with_downtime(
    rows: QuerySet[Exposure], terms: Terms
) -> tuple[QuerySet[Exposure], dict[str, Any]]:
    """The weighed seconds, or what was counted from the outages and the columns that tell it."""
    if not terms.counts_outages:
        weighed = F("major") * 1000 + F("partial") * terms.partial_permille
        # Named as 64 bits: Django takes a bound beyond 32 bits for one that nothing can reach.
        counted = ExpressionWrapper(weighed, output_field=BigIntegerField())
        return rows.alias(downtime=counted), {}
    join = joined(terms)
    # Steps of the statement are no models, and this is the one way to join them.
    rows = rows.extra(tables=list(join.tables), where=list(join.conditions))  # noqa: S610
    number: Any = BigIntegerField()
    if terms.scale > WEIGHTS_SCALE:  # shares times years do not fit into 64 bits
        number = DecimalField(max_digits=40, decimal_places=0)
    rows = rows.alias(downtime=RawSQL("counted.downtime", (), output_field=number))
    facts = RawSQL("counted.facts", (), output_field=JSONField())
    at = RawSQL("counted.at", (), output_field=DateTimeField())
    return rows, {"facts": facts, "outage_at": at}


def _seconds(terms: Terms, impact: str) -> Combinable:
    """Stored seconds, and those since for whom an outage of this impact still runs."""
    stored = F(f"{impact}_seconds")
    if not terms.running_seconds:
        return stored
    has_ended = Q(subscription__ended_at__isnull=True, subscription__status__in=Subscription.ENDED)
    has_ended |= Q(subscription__ended_at__lte=terms.at)
    goes_on = When(profile__running_impact=impact, then=Value(terms.running_seconds))
    none = Value(0)
    return stored + Case(
        When(has_ended, then=none), goes_on, default=none, output_field=BigIntegerField()
    )


def _found(terms: Terms) -> dict[str, Expression]:
    downtime = Downtime.of(terms)
    whens = [
        When(fits(rule, downtime=downtime, at=terms.incident.started_at), then=Value(rule.position))
        for rule in terms.rules
    ]
    if not terms.adds_rows_up:
        return {"rule": _position(*whens)}
    return {"rules": Positions(*map(_position, whens))}


def _position(*whens: When) -> Expression:
    """With its type said: a case that nothing can fit is a bare NULL."""
    return Cast(Case(*whens, output_field=SmallIntegerField()), SmallIntegerField())


def _with_period(rows: QuerySet[Exposure], terms: Terms) -> QuerySet[Exposure]:
    """`since`, `until`, `lasting` (milliseconds) and `months` of the period that counts."""
    if terms.period is not None:
        return rows.alias(
            since=_moment(terms.period.start),
            until=_moment(terms.period.end),
            lasting=Value(terms.period.milliseconds, output_field=BigIntegerField()),
            months=Value(terms.period.months),
        )
    return _with_billing_period(rows, terms.incident.started_at)


def _with_billing_period(rows: QuerySet[Exposure], at: datetime) -> QuerySet[Exposure]:
    """The subscription's billing period that holds `at`.

    The stored one may be a later or an earlier one by now: then it is moved by whole intervals.
    Where none is stored, and without a subscription, the calendar month.
    """
    month = calendar_period(at, PolicyVersion.FeePeriod.MONTH)
    start, end = "subscription__period_start", "subscription__period_end"
    interval = F("subscription__interval_months")
    holds = When(Q(**{f"{start}__lte": at, f"{end}__gt": at}), then=F(start))
    unknown = When(Q(**{f"{start}__isnull": True}), then=_moment(month.start))
    rows = rows.alias(base=Case(When(Q(**{f"{end}__lte": at}), then=F(end)), default=F(start)))
    months_since = at.year * 12 + at.month - ExtractYear("base") * 12 - ExtractMonth("base")
    exact = Cast(months_since, DecimalField(max_digits=9, decimal_places=3))
    rows = rows.alias(steps=Cast(Floor(exact / interval), IntegerField()))
    rows = rows.alias(guess=PlusMonths(F("base"), F("steps") * interval))
    step = When(guess__gt=at, then=F("steps") - 1)
    rows = rows.alias(step=Case(step, default=F("steps"), output_field=IntegerField()))
    moved, next_one = F("step") * interval, (F("step") + 1) * interval
    return rows.alias(
        since=Case(unknown, holds, default=PlusMonths(F("base"), moved)),
        until=Case(
            When(unknown.condition, then=_moment(month.end)),
            When(holds.condition, then=F(end)),
            default=PlusMonths(F("base"), next_one),
        ),
        months=Case(
            When(unknown.condition, then=Value(1)), default=interval, output_field=IntegerField()
        ),
    ).alias(lasting=Milliseconds(F("until"), F("since")))


def _moment(value: datetime) -> Value:
    return Value(value, output_field=DateTimeField())
