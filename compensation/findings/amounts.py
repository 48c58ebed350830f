"""Amounts by currency: written rightly, for every currency, and within the caps."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from backoffice.customers.models import Subscription
from backoffice.money import (
    LARGEST_AMOUNT_MINOR,
    format_money,
    granularity_minor,
    validate_currency,
)
from compensation.findings.finding import Code, Finding
from compensation.models import PolicyVersion, Rule


def in_amounts(amounts: Any, field: str, position: int | None = None) -> Iterator[Finding]:
    """Each a positive whole number of minor units of a currency that there is."""

    def found(message: str) -> Finding:
        return Finding(message, position=position, field=field, code=Code.BAD_AMOUNTS)

    if not isinstance(amounts, dict):
        yield found("Give amounts by currency, such as EUR 10.00.")
        return
    for currency, amount in amounts.items():
        try:
            validate_currency(currency)
        except ValidationError as error:
            yield found(" ".join(error.messages))
            continue
        if type(amount) is not int or not 0 < amount <= LARGEST_AMOUNT_MINOR:
            yield found(f"{currency}: {amount!r} is no amount in minor units.")
        elif amount % granularity_minor(currency):
            yield found(f"{currency}: the last digit must be 0.")


def missing_currencies(version: PolicyVersion, rules: Sequence[Rule]) -> Iterator[Finding]:
    """Where amounts are given, those of currencies that customers are billed in now."""
    tables: list[tuple[Any, str, int | None, str]] = [
        (rule.credit_amounts, "credit_amounts", rule.position, "gets nothing from this row")
        for rule in rules
        if rule.credit == Rule.Credit.FIXED and rule.credit_amounts
    ]
    tables += [
        (version.cap_amounts, "cap_amounts", None, "is not bounded by the cap per customer"),
        (version.minimum_amounts, "minimum_amounts", None, "is paid the smallest amounts, too"),
    ]
    if not any(isinstance(amounts, dict) and amounts for amounts, *_rest in tables):
        return
    live = Subscription.objects.exclude(status__in=Subscription.ENDED).order_by()
    billed = sorted(live.values_list("currency", flat=True).distinct())
    for amounts, field, position, means in tables:
        for currency in billed:
            if isinstance(amounts, dict) and amounts and currency not in amounts:
                yield Finding(
                    f"Who is billed in {currency} {means}: add an amount in {currency}.",
                    is_error=False, position=position, field=field, code=Code.MISSING_CURRENCY,
                )  # fmt: skip


def beyond_caps(version: PolicyVersion, rules: Sequence[Rule]) -> Iterator[Finding]:
    """Credits that are never paid in full, and a least amount that nothing can reach."""
    caps = version.cap_amounts if isinstance(version.cap_amounts, dict) else {}
    least = version.minimum_amounts if isinstance(version.minimum_amounts, dict) else {}
    for currency, minor in least.items():
        if currency in caps and caps[currency] < minor:
            yield Finding(
                f"At least {format_money(minor, currency)} is paid out, but a customer gets at "
                f"most {format_money(caps[currency], currency)}: nothing is ever paid. Change "
                "one of them.",
                field="minimum_amounts", code=Code.MINIMUM_ABOVE_CAP,
            )  # fmt: skip
    for rule in rules:
        for said, cap, field in _beyond(rule, version, caps):
            yield Finding(
                f"{said} is never given in full: the cap is {cap}. Lower it, or raise the cap.",
                is_error=False, position=rule.position, field=field, code=Code.ABOVE_CAP,
            )  # fmt: skip


def _beyond(
    rule: Rule, version: PolicyVersion, caps: dict[str, int]
) -> Iterator[tuple[str, str, str]]:
    value, cap = rule.credit_value or Decimal(0), version.cap_percent
    if rule.credit == Rule.Credit.PERCENT and cap is not None and value > cap:
        yield f"{number(value)} %", f"{number(cap)} % of the fee", "credit_value"
    if rule.credit == Rule.Credit.FIXED and isinstance(rule.credit_amounts, dict):
        for currency, minor in rule.credit_amounts.items():
            if currency in caps and type(minor) is int and minor > caps[currency]:
                top = format_money(caps[currency], currency)
                yield format_money(minor, currency), top, "credit_amounts"
    if version.cap_days is not None and rule.trial_days > version.cap_days:
        yield f"{rule.trial_days} days of service", f"{version.cap_days} days", "trial_days"


def number(value: Decimal) -> str:
    """Without zeros that say nothing."""
    return f"{value.normalize():f}"
