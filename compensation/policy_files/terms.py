"""The terms around the table, from a policy file."""

from decimal import Decimal
from typing import Any

from compensation.models import PolicyVersion
from compensation.policy_files import wording
from compensation.policy_files.record import Record

_Period = PolicyVersion.FeePeriod
PERIODS = {
    **dict.fromkeys(("calendar_month", "month", "monthly"), _Period.MONTH),
    **dict.fromkeys(("calendar_quarter", "quarter", "quarterly"), _Period.QUARTER),
    **dict.fromkeys(("calendar_year", "year", "yearly", "annual"), _Period.YEAR),
    **dict.fromkeys(("billing_period", "billing_cycle", "billing"), _Period.BILLING),
    **dict.fromkeys(("per_outage", "each_outage", "outage"), _Period.OUTAGE),
}
LONG = {_Period.QUARTER: 3, _Period.YEAR: 12}
INTERVALS = {
    **dict.fromkeys(("completed", "down", "floor"), PolicyVersion.IntervalRounding.COMPLETED),
    **dict.fromkeys(("started", "up", "ceil"), PolicyVersion.IntervalRounding.STARTED),
    **dict.fromkeys(("nearest", "half_up"), PolicyVersion.IntervalRounding.NEAREST),
}
UPTIME_ROUNDINGS = {
    **dict.fromkeys(("half_up", "nearest"), PolicyVersion.UptimeRounding.HALF_UP),
    **dict.fromkeys(("down", "floor", "truncate"), PolicyVersion.UptimeRounding.DOWN),
    **dict.fromkeys(("up", "ceil"), PolicyVersion.UptimeRounding.UP),
}
HIT_POLICIES = {"first": "first", "all": "all"}
BASES = {"incident": "incident", "period": "period"}
SHARES = {"none": "", "customers": "customers", "requests": "requests"}
FEE_BASES = {"month": "month", "period": "period"}


def version_of(record: Record, currency: str) -> PolicyVersion:
    """The version, not saved, and without its rows."""
    fee_period = _period(record)
    return PolicyVersion(
        hit_policy=record.choice("hit_policy", HIT_POLICIES, "first"),
        fee_period=fee_period,
        fee_base=_fee_base(record, fee_period),
        basis=record.choice("basis", BASES, "incident"),
        cap_percent=record.number("cap_percent", places=3, digits=7),
        cap_amounts=record.amounts("cap", currency),
        cap_days=record.whole("cap_days", least=1),
        rounding=_rounding(record),
        is_voluntary=record.flag("is_voluntary"),
        holdout_percent=record.number("holdout_percent", places=2, digits=5, most=50) or Decimal(0),
        **_downtime(record),
        **_least(record, currency),
        **_claims(record),
    )


def _downtime(record: Record) -> dict[str, Any]:
    """What counts as downtime, and how."""
    shortest, is_exclusive = _either(record, "min_incident_minutes", digits=9)
    weight = record.number("partial_weight", places=3, digits=4, most=1)
    return {
        "shortest_minutes": shortest,
        "is_shortest_exclusive": is_exclusive,
        "interval_minutes": record.number(
            "interval_minutes", places=3, digits=9, least=Decimal("0.001")
        ),
        "interval_rounding": record.choice("interval_rounding", INTERVALS, "completed"),
        "uptime_decimals": record.whole("uptime_decimals", most=6),
        "uptime_rounding": record.choice("uptime_rounding", UPTIME_ROUNDINGS, "half_up"),
        "affected_share": record.choice("affected_share", SHARES, ""),
        "partial_weight": Decimal(1) if weight is None else weight,
        "counts_maintenance": record.flag("counts_maintenance"),
    }


def _claims(record: Record) -> dict[str, Any]:
    window, days = record.text("claim_window", longest=500), record.whole("claim_days", least=1)
    return {
        "claim_window": window,
        "claim_days": wording.claim_days(window) if days is None else days,
    }


def _rounding(record: Record) -> str:
    """Said in any words ("half-even", "round down to the cent"); else unsaid, which is half up."""
    if record.has("rounding"):
        said = wording.rounding(record.text("rounding"))
        if said is None:
            record.wrong("rounding", "write half_up, half_even, down or up.")
        return said or ""
    return wording.rounding_of_cents(record.text("notes")) or ""


def _period(record: Record) -> str:
    if not record.text("period"):
        record.wrong("period", f"say which: one of {', '.join(sorted(PERIODS))}.")
    return record.choice("period", PERIODS, _Period.MONTH)


def _either(record: Record, key: str, *, digits: int) -> tuple[Decimal | None, bool]:
    """A bound that counts itself (`key`), or one that does not (`key`_exclusive)."""
    exclusive = f"{key}_exclusive"
    if record.has(key) and record.has(exclusive):
        record.wrong(exclusive, f"{key} stands there too: leave one of them out.")
    if record.has(exclusive):
        return record.number(exclusive, places=3, digits=digits), True
    return record.number(key, places=3, digits=digits), False


def _least(record: Record, currency: str) -> dict[str, Any]:
    """min_credit_cents and the like, and whether an award of exactly that is left out."""
    counts, excludes = (
        [key for key in (f"{name}_cents", f"{name}_amount", f"{name}_amounts") if record.has(key)]
        for name in ("min_credit", "min_credit_exclusive")
    )
    if counts and excludes:
        record.wrong(excludes[0], f"{counts[0]} stands there too: leave one of them out.")
    name = "min_credit_exclusive" if excludes else "min_credit"
    least = {code: n for code, n in record.amounts(name, currency).items() if n}
    return {"minimum_amounts": least, "is_minimum_exclusive": bool(excludes)}


def _fee_base(record: Record, fee_period: str) -> str:
    """Of which fee credits are a part.

    Said by `fee_base`, by an example that gives the period's fee, or by the words of `credit_base`
    ("monthly fee"); with none of them it is the period's.
    """
    said = record.text("credit_base", longest=2000)
    if record.has("fee_base"):
        return record.choice("fee_base", FEE_BASES, "period")
    if fee_period not in LONG:
        return PolicyVersion.FeeBase.PERIOD
    is_monthly = wording.MONTH.search(said) and not wording.LONGER_PERIOD.search(said)
    if _tells_period_fee(record):
        if is_monthly:
            record.notes.warnings.append(
                f"{record.place}: credit_base speaks of a month's fee, the examples give the "
                "period's: that one is taken. Say fee_base to be sure."
            )
        return PolicyVersion.FeeBase.PERIOD
    if is_monthly:
        return PolicyVersion.FeeBase.MONTH
    if wording.LONGER_PERIOD.search(said):
        return PolicyVersion.FeeBase.PERIOD
    return str(record.notes.choose("fee_base", "period", "month"))


def _tells_period_fee(record: Record) -> bool:
    """An example counts from a fee other than the month's."""
    examples = record.data.get("worked_examples")
    return isinstance(examples, list) and any(
        one.get("period_fee_cents") not in {None, one.get("monthly_fee_cents")}
        for one in examples
        if isinstance(one, dict)
    )
