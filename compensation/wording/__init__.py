"""Rows and examples of a policy in words, as finance reads them."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.customers.models import Subscription
from backoffice.money import format_money
from compensation.models import PolicyExample, PolicyVersion, Rule


def number(value: Decimal | int) -> str:
    """Without zeros that say nothing: 99.9, not 99.900000."""
    return f"{Decimal(value).normalize():f}"


def amounts(by_currency: dict[str, int], between: str = ", ") -> str:
    """EUR 5.00, USD 6.00."""
    return between.join(format_money(minor, code) for code, minor in sorted(by_currency.items()))


def who_and_when(rule: Rule) -> str:
    """The row's conditions; "anyone hit" where it has none."""
    said = [
        _(" or ").join(rule.plans),
        _(" or ").join(rule.segments),
        (_("in ") + ", ".join(rule.countries)) if rule.countries else "",
        statuses(rule),
        tenure(rule),
        bounds(rule, "uptime", _("% uptime")),
        bounds(rule, "minutes", _("minutes")),
        rule.condition.strip(),
    ]
    return "; ".join(part for part in said if part) or _("anyone hit")


def statuses(rule: Rule) -> str:
    """Trialing, active; empty for any."""
    labels = {value: str(label) for value, label in Subscription.Status.choices}
    return ", ".join(labels.get(status, status) for status in rule.statuses)


def tenure(rule: Rule) -> str:
    """With us 12 months or longer; empty where it does not matter."""
    since, below = rule.tenure_months_from, rule.tenure_months_to
    said = []
    if since is not None:
        said.append(_("with us {n} months or longer").format(n=since))
    if below is not None:
        said.append(_("with us less than {n} months").format(n=below))
    return _(" and ").join(said)


def bounds(rule: Rule, name: str, unit: str) -> str:
    """From 99 and below 99.9 % uptime; empty without bounds. `name` is uptime or minutes."""
    low, high = getattr(rule, f"{name}_from"), getattr(rule, f"{name}_to")
    said = []
    if low is not None:
        word = _("from {n}") if getattr(rule, f"{name}_from_inclusive") else _("above {n}")
        said.append(word.format(n=number(low)))
    if high is not None:
        word = _("up to {n}") if getattr(rule, f"{name}_to_inclusive") else _("below {n}")
        said.append(word.format(n=number(high)))
    return f"{_(' and ').join(said)} {unit}" if said else ""


def gives(rule: Rule, version: PolicyVersion) -> str:
    """The row's benefits with the caps around the table; "nothing" where it has none."""
    said = [credit(rule, version) + (_caps(rule, version) if rule.credit else "")]
    if rule.trial_days:
        said.append(ngettext("{n} more day of service", "{n} more days of service", rule.trial_days)
                    .format(n=rule.trial_days) + _most_days(version))  # fmt: skip
    if rule.priority_days:
        said.append(ngettext("{n} day of priority support", "{n} days of priority support",
                             rule.priority_days).format(n=rule.priority_days))  # fmt: skip
    return "; ".join(part for part in said if part) or _("nothing")


def _most_days(version: PolicyVersion) -> str:
    if version.cap_days is None:
        return ""
    return ngettext(", at most {n} day", ", at most {n} days", version.cap_days).format(
        n=version.cap_days
    )


def credit(rule: Rule, version: PolicyVersion) -> str:
    """What the row's credit comes to, without the caps; empty where it gives none."""
    value = number(rule.credit_value or 0)
    if rule.credit == Rule.Credit.PERCENT:
        return _("{n} % of the {fee}").format(n=value, fee=_fee(version))
    if rule.credit == Rule.Credit.TIME_MULTIPLE:
        return _("{n} x the fee for the time lost").format(n=value)
    if rule.credit == Rule.Credit.STEP:
        return _steps(rule, version)
    if rule.credit == Rule.Credit.HOURS:
        return _hours(rule)
    if rule.credit == Rule.Credit.FIXED:
        return amounts(rule.credit_amounts, _(" or ")) or _("an amount yet to be said")
    return ""


def _steps(rule: Rule, version: PolicyVersion) -> str:
    """5 % of the monthly fee for each started 30 minutes beyond 15 minutes."""
    said = (
        _("{n} % of the {fee} for each started {minutes} minutes")
        if rule.step_counts == Rule.Step.STARTED
        else _("{n} % of the {fee} for each completed {minutes} minutes")
    ).format(
        n=number(rule.credit_value or 0),
        fee=_fee(version),
        minutes="…" if rule.step_minutes is None else number(rule.step_minutes),
    )
    if rule.allowance_minutes:
        said += _(" beyond {minutes} minutes").format(minutes=number(rule.allowance_minutes))
    elif rule.allowance_uptime is not None:
        said += _(" beyond what {n} % uptime allows").format(n=number(rule.allowance_uptime))
    return said


def _hours(rule: Rule) -> str:
    """24 hours of the monthly fee, a month being 730 hours."""
    value = rule.credit_value or Decimal(0)
    said = (
        _("1 hour of the monthly fee")
        if value == 1
        else _("{n} hours of the monthly fee").format(n=number(value))
    )
    if rule.fee_hours:
        said += _(", a month being {n} hours").format(n=rule.fee_hours)
    return said


def _fee(version: PolicyVersion) -> str:
    if version.fee_base == PolicyVersion.FeeBase.MONTH:
        return _("monthly fee")
    return {
        PolicyVersion.FeePeriod.MONTH: _("monthly fee"),
        PolicyVersion.FeePeriod.QUARTER: _("quarterly fee"),
        PolicyVersion.FeePeriod.YEAR: _("yearly fee"),
        PolicyVersion.FeePeriod.BILLING: _("billing period's fee"),
        PolicyVersion.FeePeriod.OUTAGE: _("monthly fee"),
    }[PolicyVersion.FeePeriod(version.fee_period)]


def _caps(rule: Rule, version: PolicyVersion) -> str:
    """A cap in percent is left unsaid where the row alone cannot reach it."""
    said, cap = "", version.cap_percent
    alone = version.hit_policy == PolicyVersion.HitPolicy.FIRST
    is_below = rule.credit == Rule.Credit.PERCENT and (rule.credit_value or 0) <= (cap or 0)
    if cap is not None and not (alone and is_below):
        said += _(", at most {n} % of the fee").format(n=number(cap))
    if version.cap_amounts:
        said += _(", at most {amounts} a customer").format(
            amounts=amounts(version.cap_amounts, _(" or "))
        )
    return said


def happens(example: PolicyExample) -> str:
    """EUR 499.00 a month, 60 minutes out in the period from 2026-04-01."""
    said = [
        _("{fee} a month").format(fee=format_money(example.fee_minor, example.currency)),
        example.plan,
        example.segment,
        example.country,
    ]
    if example.tenure_months is not None:
        said.append(_("with us {n} months").format(n=example.tenure_months))
    minutes = " + ".join(number(one) for one in example.minutes) or "0"
    said.append(
        _("{minutes} minutes out ({impact}) in the period from {day}").format(
            minutes=minutes, impact=example.get_impact_display(), day=example.starts_on.isoformat()
        )
    )
    if example.period_minutes is not None:
        said.append(_("which lasts {n} minutes").format(n=f"{example.period_minutes:,}"))
    if example.share_percent is not None:
        said.append(_("{n} % hit").format(n=number(example.share_percent)))
    return ", ".join(part for part in said if part)


def expects(example: PolicyExample) -> str:
    """EUR 49.90, or 3 days of service, or that the text does not say."""
    if example.expected_days is not None:
        return ngettext("{n} day of service", "{n} days of service", example.expected_days).format(
            n=example.expected_days
        )
    if example.expected_minor is not None:
        return format_money(example.expected_minor, example.currency)
    return _("the text does not say")
