"""The sum as data, for programs: exact numbers as text, times in ISO 8601 and UTC."""

from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any

from compensation.explanations.downtime import Downtime, Part
from compensation.explanations.sums import Sum
from compensation.models import Award, Rule

UPTIME_DIGITS = 6


def explain_data(award: Award) -> dict[str, Any]:
    """Every figure the award was priced from, ready for JSON.

    Money is in minor units of the award's currency. What need not be whole is text: a decimal
    number where it ends, else a fraction such as “1000/3”. Goodwill has its reason and result
    only.
    """
    found = Sum.of(award)
    if found is None:
        return {"origin": award.origin, "reason": award.reason, "result": _result(award)}
    return {
        "version": found.version.number,
        "period": _period(found),
        "downtime": _downtime(found),
        "parts": [_part(found, part) for part in found.parts],
        "fee": _fee(found),
        "amount": _amount(found),
        "result": _result(award),
    }


def _period(found: Sum) -> dict[str, Any]:
    return {
        "kind": found.version.fee_period,
        "basis": found.version.basis,
        "starts_at": _moment(found.award.period_start),
        "ends_at": _moment(found.award.period_end),
        "milliseconds": found.period_ms,
    }


def _downtime(found: Sum) -> dict[str, Any]:
    award, version, downtime = found.award, found.version, found.downtime
    return {
        "major_seconds": award.major_seconds,
        "partial_seconds": award.partial_seconds,
        "partial_weight": number(version.partial_weight),
        "shortest_minutes": number(version.shortest_minutes),
        "is_shortest_exclusive": version.is_shortest_exclusive,
        "interval_minutes": number(version.interval_minutes),
        "interval_rounding": version.interval_rounding,
        "affected_share": version.affected_share,
        "share": number(downtime.share),
        "incidents": downtime.incidents,
        "outages": _outages(downtime),
        "milliseconds": number(downtime.total),
    }


def _outages(downtime: Downtime) -> list[dict[str, Any]]:
    """In order of time; empty where seconds and weight tell it all."""
    return [
        {
            "milliseconds": number(outage.length),
            "weighed_milliseconds": number(outage.weighed),
            "counted_milliseconds": number(outage.counted),
            "is_too_short": outage.is_too_short,
        }
        for outage in downtime.outages
    ]


def _part(found: Sum, part: Part) -> dict[str, Any]:
    """What was priced at once: all downtime, or one outage."""
    return {
        "milliseconds": number(part.down),
        "uptime": {
            "exact": number(part.uptime),
            "percent": f"{_cut(part.uptime):f}",
            "rounded": None if part.uptime_rounded is None else f"{part.uptime_rounded:f}",
        },
        "rows": [_row(found, part, rule) for rule in found.giving(part)],
    }


def _row(found: Sum, part: Part, rule: Rule) -> dict[str, Any]:
    row: dict[str, Any] = {"position": rule.position, "label": rule.label}
    if found.award.benefit == Award.Benefit.TRIAL:
        return row | {"days": rule.trial_days}
    if found.award.benefit == Award.Benefit.PRIORITY:
        return row | {"days": rule.priority_days}
    row |= {"credit": rule.credit, "value": number(rule.credit_value)}
    if rule.credit == Rule.Credit.STEP:
        row |= {
            "steps": found.steps(part, rule),
            "step_minutes": number(rule.step_minutes),
            "step_counts": rule.step_counts,
            "allowance_milliseconds": number(found.allowance(part, rule)),
        }
    if rule.credit == Rule.Credit.HOURS:
        row |= {"hours": number(rule.credit_value), "fee_hours": found.fee_hours(rule)}
    return row | {"amount": number(found.promised(part, rule))}


def _fee(found: Sum) -> dict[str, Any]:
    award = found.award
    return {
        "interval_minor": award.fee_minor,
        "interval_months": award.interval_months,
        "base": found.version.fee_base,
        "months": found.fee_months,
        "amount": number(found.fee),
    }


def _amount(found: Sum) -> dict[str, Any] | None:
    """From what the rows promise to what is paid; None where no money is given."""
    award, version = found.award, found.version
    if award.benefit != Award.Benefit.CREDIT:
        return None
    return {
        "promised": number(found.total),
        "given_by_batches_minor": found.given_by_batches,
        "raw": number(award.raw_amount),
        "cap_minor": award.cap_minor,
        "given_minor": award.given_minor,
        "is_capped": found.is_capped,
        "least_minor": version.minimum_amounts.get(award.currency),
        "is_least_exclusive": version.is_minimum_exclusive,
        "rounding": version.rounding or "half_up",
    }


def _result(award: Award) -> dict[str, Any]:
    return {
        "benefit": award.benefit,
        "amount_minor": award.amount_minor,
        "currency": award.currency,
        "days": award.days,
        "until": _moment(award.trial_end_target or award.priority_until),
    }


def number(value: Fraction | Decimal | int | None) -> str | None:
    """Exact: as a decimal number where it ends, else as a fraction."""
    if value is None:
        return None
    exact = Fraction(value)
    rest, digits = exact.denominator, 0
    while rest % 10 == 0:
        rest, digits = rest // 10, digits + 1
    for factor in (2, 5):
        while rest % factor == 0:
            rest, digits = rest // factor, digits + 1
    if rest != 1:
        return str(exact)
    text = f"{Decimal(int(exact * 10**digits)).scaleb(-digits):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _cut(value: Fraction) -> Decimal:
    """Not rounded towards a promise."""
    whole = Decimal(value.numerator * 10**UPTIME_DIGITS // value.denominator)
    return whole.scaleb(-UPTIME_DIGITS).quantize(Decimal("1e-6"), rounding=ROUND_DOWN)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
