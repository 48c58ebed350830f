"""Why a policy gives nothing for an outage: the sum that shows it, as data.

Only what follows from this incident and the policy's rows is told. Where it does not explain the
nothing that pricing found (a cap that is used up, for one), None says so.
"""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from backoffice.customers.models import Subscription
from compensation.caps import period_of
from compensation.models import PolicyVersion, Rule
from compensation.pricing.periods import MILLISECOND, calendar_period
from compensation.pricing.terms import MINUTE_MS
from incidents.cohorts.spans import Span
from incidents.models import Incident

Facts = dict[str, Any]


def why_nothing(
    version: PolicyVersion, incident: Incident, subscription: Subscription, spans: list[Span]
) -> Facts | None:
    """The reason (`why`) with its figures, or None where a person must look.

    `short`: every outage was shorter than the shortest that counts. `partial`: the service was
    only partly out of order, which does not count. `uptime`: it stayed above each row's bound.
    `minutes`: it lasted less than each row asks for. `allowance`: not longer than is allowed for.
    """
    counted = [span for span in spans if span.major or version.partial_weight]
    if not counted:
        return {"why": "partial", "down_ms": _ms(sum((s.length for s in spans), timedelta(0)))}
    long = [span for span in counted if _counts(version, span)]
    if not long:
        return {
            "why": "short",
            "longest_ms": max(_ms(span.length) for span in counted),
            "shortest_minutes": str(version.shortest_minutes),
            "is_exclusive": version.is_shortest_exclusive,
        }
    if version.basis == PolicyVersion.Basis.PERIOD:
        return None
    return _below_rows(version, incident, subscription, long)


def _counts(version: PolicyVersion, span: Span) -> bool:
    if version.shortest_minutes is None:
        return True
    shortest = version.shortest_minutes * MINUTE_MS
    length = _ms(span.length)
    return length > shortest if version.is_shortest_exclusive else length >= shortest


def _below_rows(
    version: PolicyVersion, incident: Incident, subscription: Subscription, spans: list[Span]
) -> Facts | None:
    """At most so long: a share of customers or requests could only make it less."""
    downs = [_weighed(version, span) for span in spans]
    by_outage = version.fee_period == PolicyVersion.FeePeriod.OUTAGE
    down = max(downs) if by_outage else sum(downs)
    if by_outage:
        month = calendar_period(incident.started_at, PolicyVersion.FeePeriod.MONTH)
        start, end = month.start, month.end
    else:
        start, end = period_of(version, subscription, incident.started_at)
    period = (end - start) // MILLISECOND
    uptime = Fraction(100 * (period - min(down, period)), period)
    facts: Facts = {
        "down_ms": down,
        "period_ms": period,
        "period_start": start.isoformat(),
        "period_end": end.isoformat(),
        "uptime": f"{float(floor(uptime * 1000)) / 1000:.3f}",
    }
    rules = list(version.rules.all())
    whys = [_missed(rule, down, _compared(version, uptime)) for rule in rules]
    if not rules or None in whys:
        return None
    return facts | _nearest(rules, [why for why in whys if why])


def _weighed(version: PolicyVersion, span: Span) -> int:
    """Milliseconds, brought to whole intervals."""
    partial = Fraction(_ms(span.partial)) * Fraction(version.partial_weight)
    weighed = Fraction(_ms(span.major)) + partial
    if version.interval_minutes is None:
        return floor(weighed)
    interval = Fraction(version.interval_minutes) * MINUTE_MS
    steps = weighed / interval
    whole = {
        PolicyVersion.IntervalRounding.COMPLETED: floor(steps),
        PolicyVersion.IntervalRounding.STARTED: ceil(steps),
        PolicyVersion.IntervalRounding.NEAREST: floor(steps + Fraction(1, 2)),
    }[PolicyVersion.IntervalRounding(version.interval_rounding)]
    return int(whole * interval)


def _compared(version: PolicyVersion, uptime: Fraction) -> Fraction:
    """As rows compare it."""
    if version.uptime_decimals is None:
        return uptime
    scale = 10**version.uptime_decimals
    scaled = uptime * scale
    whole = {
        PolicyVersion.UptimeRounding.HALF_UP: floor(scaled + Fraction(1, 2)),
        PolicyVersion.UptimeRounding.DOWN: floor(scaled),
        PolicyVersion.UptimeRounding.UP: ceil(scaled),
    }[PolicyVersion.UptimeRounding(version.uptime_rounding)]
    return Fraction(whole, scale)


def _missed(rule: Rule, down_ms: int, uptime: Fraction) -> str | None:
    """Why so much downtime does not reach this row; None where it does."""
    if rule.uptime_to is not None:
        bound = Fraction(rule.uptime_to)
        if uptime > bound or (uptime == bound and not rule.uptime_to_inclusive):
            return "uptime"
    if rule.minutes_from is not None:
        least = Fraction(rule.minutes_from) * MINUTE_MS
        if down_ms < least or (down_ms == least and not rule.minutes_from_inclusive):
            return "minutes"
    if rule.allowance_minutes is not None:
        allowed = Fraction(rule.allowance_minutes) * MINUTE_MS
        gives_days = rule.trial_days or rule.priority_days
        if down_ms <= allowed and not gives_days:
            return "allowance"
    return None


def _nearest(rules: list[Rule], whys: list[str]) -> Facts:
    """The bound that was nearest to being reached."""
    if "uptime" in whys:
        bounds = [rule.uptime_to for rule in rules if rule.uptime_to is not None]
        return {"why": "uptime", "bound": _plain(max(bounds))}
    if "minutes" in whys:
        least = [rule.minutes_from for rule in rules if rule.minutes_from is not None]
        return {"why": "minutes", "bound": _plain(min(least))}
    allowed = [rule.allowance_minutes for rule in rules if rule.allowance_minutes is not None]
    return {"why": "allowance", "bound": _plain(min(allowed))}


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _ms(span: timedelta) -> int:
    return span // MILLISECOND
