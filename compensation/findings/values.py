"""Plans, countries, segments and statuses that no customer has: most likely misspelt."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from django.db.models import QuerySet

from backoffice.customers.models import Customer, Subscription
from compensation.findings.finding import Code, Finding
from compensation.models import Rule

COLUMNS: dict[str, tuple[type[Any], str]] = {
    "plans": (Subscription, "plan"),
    "countries": (Customer, "country"),
    "segments": (Customer, "segment"),
}
MOST_KNOWN = 2000


def unknown_values(rules: Sequence[Rule]) -> Iterator[Finding]:
    """Only the values that rows name are looked up; what there is, only to propose one."""
    missing = {field: _missing(rules, field) for field in COLUMNS}
    for rule in rules:
        for field, unknown in missing.items():
            for value in getattr(rule, field):
                if value in unknown:
                    yield Finding(
                        f"Nobody has “{value}” now.{unknown[value]}",
                        is_error=False, position=rule.position, field=field,
                        code=Code.UNKNOWN_VALUE,
                    )  # fmt: skip
        for status in rule.statuses:
            if status not in Subscription.Status.values:
                yield Finding(
                    f"“{status}” is no status of a subscription."
                    + _meant(status, list(Subscription.Status.values)),
                    position=rule.position, field="statuses", code=Code.UNKNOWN_STATUS,
                )  # fmt: skip


def _missing(rules: Sequence[Rule], field: str) -> dict[str, str]:
    """The values that nobody has, each with a word about what may have been meant."""
    model, column = COLUMNS[field]
    named = {value for rule in rules for value in getattr(rule, field)}
    if not named:
        return {}
    rows: QuerySet[Any] = model._default_manager.order_by()
    there = set(rows.filter(**{f"{column}__in": named}).values_list(column, flat=True).distinct())
    unknown = named - there
    if not unknown:
        return {}
    known = list(rows.values_list(column, flat=True).distinct()[:MOST_KNOWN])
    return {value: _meant(value, known) for value in unknown}


def _meant(value: str, known: Sequence[str]) -> str:
    by_case = {word.lower(): word for word in known if word}
    near = get_close_matches(value.lower(), by_case, n=1)
    return f" Did you mean “{by_case[near[0]]}”?" if near else ""
