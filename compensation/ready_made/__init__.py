"""Policies to start from: published SLA texts and a plain one, each a JSON file in this folder.

A file has `tiers` (percent of the fee by uptime) or `rows` (any condition and benefit), `period`,
caps, the least that is paid out, its `source`, and `worked_examples` that must come out exactly.
Numbers with decimals are texts, so that 99.9 stays 99.9.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from compensation.models import Policy, PolicyVersion, Rule

FOLDER = Path(__file__).parent
PERIODS = {
    "calendar_month": PolicyVersion.FeePeriod.MONTH,
    "calendar_quarter": PolicyVersion.FeePeriod.QUARTER,
    "calendar_year": PolicyVersion.FeePeriod.YEAR,
    "billing_period": PolicyVersion.FeePeriod.BILLING,
}
# A row's words for bounds, and the fields they fill: which bound, and whether it counts itself.
BOUNDS = {
    "uptime_below": ("uptime_to", False),
    "uptime_at_most": ("uptime_to", True),
    "uptime_at_least": ("uptime_from", True),
    "uptime_above": ("uptime_from", False),
    "minutes_below": ("minutes_to", False),
    "minutes_at_most": ("minutes_to", True),
    "minutes_at_least": ("minutes_from", True),
    "minutes_above": ("minutes_from", False),
}
SAME_NAME = (
    "plans", "countries", "segments", "statuses", "tenure_months_from", "tenure_months_to",
    "condition", "trial_days", "priority_days",
)  # fmt: skip


def keys() -> list[str]:
    """The ready-made policies there are."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(key: str) -> dict[str, Any]:
    """The file of the policy `key`.

    Raises:
        ValidationError: there is none of this key.
    """
    if key not in keys():
        raise ValidationError(
            {"key": f"There is no ready-made policy “{key}”: choose from {', '.join(keys())}."}
        )
    terms: dict[str, Any] = json.loads((FOLDER / f"{key}.json").read_text(encoding="utf-8"))
    return terms


def policy(terms: dict[str, Any]) -> Policy:
    """The policy that a file describes, not saved."""
    return Policy(
        key=terms["key"],
        name=terms["name"],
        description=terms.get("notes", ""),
        source=terms.get("source", ""),
    )


def version(terms: dict[str, Any]) -> PolicyVersion:
    """The terms around the table, not saved."""
    least = terms.get("min_credit_exclusive_cents", terms.get("min_credit_cents"))
    cap = terms.get("cap_percent")
    return PolicyVersion(
        hit_policy=terms.get("hit_policy", PolicyVersion.HitPolicy.FIRST),
        fee_period=PERIODS[terms["period"]],
        cap_percent=None if cap is None else Decimal(str(cap)),
        minimum_amounts={} if least is None else {terms["currency"]: least},
        is_minimum_exclusive="min_credit_exclusive_cents" in terms,
    )


def rules(terms: dict[str, Any]) -> Iterator[Rule]:
    """The rows of the table, in order, not saved."""
    for position, row in enumerate(terms.get("rows") or terms["tiers"], start=1):
        yield _rule(position, row)


def _rule(position: int, row: dict[str, Any]) -> Rule:
    rule = Rule(position=position, label=row.get("name", ""))
    for word, (field, is_inclusive) in BOUNDS.items():
        if row.get(word) is not None:
            setattr(rule, field, Decimal(str(row[word])))
            setattr(rule, f"{field}_inclusive", is_inclusive)
    for field in SAME_NAME:
        if field in row:
            setattr(rule, field, row[field])
    if "credit_percent" in row:
        rule.credit = Rule.Credit.PERCENT
        rule.credit_value = Decimal(str(row["credit_percent"]))
    elif "credit_multiple" in row:
        rule.credit = Rule.Credit.TIME_MULTIPLE
        rule.credit_value = Decimal(str(row["credit_multiple"]))
    elif "credit_amounts" in row:
        rule.credit = Rule.Credit.FIXED
        rule.credit_amounts = row["credit_amounts"]
    return rule
