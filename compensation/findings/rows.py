"""What is wrong within one row."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from backoffice.customers.conditions import ConditionError, parse_condition
from compensation.coverage import AXES, span
from compensation.findings.amounts import in_amounts, number
from compensation.findings.finding import Code, Finding
from compensation.models import Rule

FULL = Decimal(100)


def in_row(rule: Rule) -> Iterator[Finding]:
    yield from _in_benefit(rule)
    yield from _in_bounds(rule)
    yield from _in_condition(rule)


def _in_benefit(rule: Rule) -> Iterator[Finding]:
    find = partial(Finding, position=rule.position)
    if not (rule.credit or rule.trial_days or rule.priority_days):
        yield find(
            "This row gives nothing: choose a credit, days of service or priority days.",
            field="credit", code=Code.GIVES_NOTHING,
        )  # fmt: skip
    if rule.credit == Rule.Credit.FIXED:
        if not rule.credit_amounts:
            yield find(
                "Say how much, in each currency.", field="credit_amounts", code=Code.NO_VALUE
            )
        yield from in_amounts(rule.credit_amounts, "credit_amounts", rule.position)
    elif rule.credit:
        yield from _in_value(rule)


def _in_value(rule: Rule) -> Iterator[Finding]:
    find = partial(Finding, position=rule.position)
    if rule.credit_value is None:
        yield find(
            f"Say how much: {rule.get_credit_display()}.", field="credit_value", code=Code.NO_VALUE
        )
    elif not rule.credit_value and not (rule.trial_days or rule.priority_days):
        yield find(
            "It gives nothing, and whoever fits it gets nothing from the rows after it either.",
            is_error=False, field="credit_value", code=Code.ZERO_VALUE,
        )  # fmt: skip
    if rule.credit == Rule.Credit.STEP and not rule.step_minutes:
        yield find("Say how many minutes an interval has.", field="step_minutes", code=Code.NO_STEP)
    if rule.allowance_minutes is not None and rule.allowance_uptime is not None:
        yield find(
            "Give the allowance in minutes or as uptime, not both.",
            field="allowance_uptime", code=Code.TWO_ALLOWANCES,
        )  # fmt: skip


def _in_bounds(rule: Rule) -> Iterator[Finding]:
    find = partial(Finding, position=rule.position)
    for field in ("uptime_from", "uptime_to"):
        value = getattr(rule, field)
        if value is not None and not 0 <= value <= FULL:
            yield find(
                f"Uptime is between 0 and 100 %, not {number(value)}.",
                field=field, code=Code.BAD_UPTIME,
            )  # fmt: skip
    for axis, unit in zip(AXES, ("%", "minutes"), strict=True):
        bounds = [getattr(rule, f"{axis.name}_{end}") for end in ("from", "to")]
        if None not in bounds and span(rule, axis).is_empty:
            yield find(
                f"Nothing lies between these bounds ({unit}).",
                field=f"{axis.name}_to", code=Code.EMPTY_BOUNDS,
            )  # fmt: skip
    first, below = rule.tenure_months_from, rule.tenure_months_to
    if below is not None and below <= (first or 0):
        yield find(
            "Nobody has been with us that long and shorter.",
            field="tenure_months_to", code=Code.EMPTY_TENURE,
        )  # fmt: skip


def _in_condition(rule: Rule) -> Iterator[Finding]:
    try:
        parse_condition(rule.condition)
    except ConditionError as error:
        yield Finding(
            " ".join(error.messages), field="condition", position=rule.position,
            code=Code.BAD_CONDITION,
        )  # fmt: skip
