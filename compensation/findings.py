"""What is wrong, or looks wrong, with a policy version before it comes into force."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError

from backoffice.customers.conditions import ConditionError, parse_condition
from backoffice.customers.models import Customer, Subscription
from backoffice.money import LARGEST_AMOUNT_MINOR, granularity_minor, validate_currency
from compensation.models import PolicyVersion, Rule

FULL = Decimal(100)


@dataclass(frozen=True)
class Finding:
    """One thing in one row (or in the version, without `position`). An error blocks activation."""

    message: str
    is_error: bool = True
    position: int | None = None
    field: str = ""

    def __str__(self) -> str:
        place = f"Row {self.position}: " if self.position else ""
        return f"{place}{self.message}"


def check_version(version: PolicyVersion) -> list[Finding]:
    """Errors first, then warnings, each in the order of the rows."""
    rules = list(version.rules.all())
    findings = [*_in_version(version, rules)]
    for rule in rules:
        findings += [*_in_benefit(rule), *_in_bounds(rule), *_in_condition(rule)]
    findings += [*_unknown_values(rules), *_between_rows(version, rules)]
    return sorted(findings, key=lambda finding: not finding.is_error)


def _in_version(version: PolicyVersion, rules: list[Rule]) -> Iterator[Finding]:
    if not rules:
        yield Finding("A policy needs at least one row.", field="rules")
    yield from _in_amounts(version.cap_amounts, "cap_amounts")
    yield from _in_amounts(version.minimum_amounts, "minimum_amounts")


def _in_benefit(rule: Rule) -> Iterator[Finding]:
    find = partial(Finding, position=rule.position)
    if not (rule.credit or rule.trial_days or rule.priority_days):
        yield find(
            "This row gives nothing: choose a credit, trial days or priority days.", field="credit"
        )
    if rule.credit == Rule.Credit.FIXED:
        if not rule.credit_amounts:
            yield find("Say how much, in each currency.", field="credit_amounts")
        yield from _in_amounts(rule.credit_amounts, "credit_amounts", rule.position)
    elif rule.credit and not rule.credit_value:
        yield find(f"Say how much: {rule.get_credit_display()}.", field="credit_value")


def _in_amounts(amounts: Any, field: str, position: int | None = None) -> Iterator[Finding]:
    find = partial(Finding, position=position, field=field)
    if not isinstance(amounts, dict):
        yield find("Give amounts by currency, such as EUR 10.00.")
        return
    for currency, amount in amounts.items():
        try:
            validate_currency(currency)
        except ValidationError as error:
            yield find(" ".join(error.messages))
            continue
        if type(amount) is not int or not 0 < amount <= LARGEST_AMOUNT_MINOR:
            yield find(f"{currency}: {amount!r} is no amount in minor units.")
        elif amount % granularity_minor(currency):
            yield find(f"{currency}: the last digit must be 0.")


def _in_bounds(rule: Rule) -> Iterator[Finding]:
    find = partial(Finding, position=rule.position)
    for field in ("uptime_from", "uptime_to"):
        value = getattr(rule, field)
        if value is not None and not 0 <= value <= FULL:
            yield find(f"Uptime is between 0 and 100 %, not {value.normalize():f}.", field=field)
    for name, unit in (("uptime", "%"), ("minutes", "minutes")):
        if _is_empty(rule, name):
            yield find(f"Nothing lies between these bounds ({unit}).", field=f"{name}_to")
    first, below = rule.tenure_months_from, rule.tenure_months_to
    if below is not None and below <= (first or 0):
        yield find("Nobody has been with us that long and shorter.", field="tenure_months_to")


def _is_empty(rule: Rule, name: str) -> bool:
    low, high = getattr(rule, f"{name}_from"), getattr(rule, f"{name}_to")
    if low is None or high is None or low < high:
        return False
    both = getattr(rule, f"{name}_from_inclusive") and getattr(rule, f"{name}_to_inclusive")
    return low > high or not both


def _in_condition(rule: Rule) -> Iterator[Finding]:
    try:
        parse_condition(rule.condition)
    except ConditionError as error:
        yield Finding(" ".join(error.messages), field="condition", position=rule.position)


def _unknown_values(rules: list[Rule]) -> Iterator[Finding]:
    """Plans, countries and segments that no customer has: most likely misspelt."""
    known: dict[str, set[str]] = {
        "plans": set(_distinct(Subscription.objects.all(), "plan")),
        "countries": set(_distinct(Customer.objects.all(), "country")),
        "segments": set(_distinct(Customer.objects.all(), "segment")),
    }
    for rule in rules:
        for field, values in known.items():
            for value in getattr(rule, field):
                if value not in values:
                    yield Finding(f"Nobody has “{value}” now.", is_error=False,
                                  position=rule.position, field=field)  # fmt: skip
        for status in rule.statuses:
            if status not in Subscription.Status.values:
                yield Finding(f"“{status}” is no status of a subscription.",
                              position=rule.position, field="statuses")  # fmt: skip


def _distinct(rows: Any, field: str) -> Iterable[str]:
    return rows.order_by().values_list(field, flat=True).distinct()  # type: ignore[no-any-return]


def _between_rows(version: PolicyVersion, rules: list[Rule]) -> Iterator[Finding]:
    """Holes and overlaps of uptime among the rows that ask the same of a customer."""
    alike: dict[tuple[Any, ...], list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.uptime_from is not None or rule.uptime_to is not None:
            alike[_asked(rule)].append(rule)
    for group in alike.values():
        ordered = sorted(group, key=lambda r: (_low(r), not r.uptime_from_inclusive))
        for lower, upper in pairwise(ordered):
            yield from _between(lower, upper, adds_up=version.hit_policy == "all")


def _asked(rule: Rule) -> tuple[Any, ...]:
    return (
        *(tuple(sorted(values)) for values in _lists(rule)),
        rule.tenure_months_from,
        rule.tenure_months_to,
        rule.minutes_from,
        rule.minutes_to,
        rule.condition.strip(),
    )


def _lists(rule: Rule) -> tuple[list[str], ...]:
    return (rule.plans, rule.countries, rule.segments, rule.statuses)


def _low(rule: Rule) -> Decimal:
    return Decimal(0) if rule.uptime_from is None else rule.uptime_from


def _between(lower: Rule, upper: Rule, *, adds_up: bool) -> Iterator[Finding]:
    high = FULL if lower.uptime_to is None else lower.uptime_to
    low = _low(upper)
    # Where the two meet, exactly one of them must count the bound itself.
    counted = lower.uptime_to_inclusive + (upper.uptime_from_inclusive or upper.uptime_from is None)
    find = partial(Finding, is_error=False, position=upper.position, field="uptime_from")
    if high < low:
        yield find(
            f"Nothing is due between {high.normalize():f} and {low.normalize():f} %"
            f" uptime: a hole below this row and row {lower.position}."
        )
    elif high == low and counted == 0:
        yield find(f"Nothing is due at exactly {low.normalize():f} % uptime.")
    elif not adds_up and (high > low or counted > 1):
        yield find(
            f"It overlaps with row {lower.position} from {low.normalize():f} % uptime: "
            "there, the one that stands first counts."
        )
