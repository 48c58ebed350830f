"""What a row's credit is made of, in words."""

from decimal import Decimal

from compensation.explanations.downtime import Part
from compensation.explanations.numbers import Writer
from compensation.explanations.sums import Sum, shown
from compensation.models import Rule


def credit_in_words(found: Sum, part: Part, rule: Rule, writer: Writer) -> str:
    """Of a credit that is counted from the fee."""
    value = rule.credit_value or Decimal(0)
    fee = fee_in_words(found, writer)
    if rule.credit == Rule.Credit.STEP:
        return _step(found, part, rule, writer)
    if rule.credit == Rule.Credit.HOURS:
        return writer.say(
            "hours",
            hours=writer.number(value),
            whole=writer.number(found.fee_hours(rule)),
            fee=fee_in_words(found, writer, months=1),
        )
    if rule.credit == Rule.Credit.TIME_MULTIPLE:
        return writer.say(
            "time_multiple",
            multiple=writer.number(value),
            fee=fee,
            down=writer.minutes(part.down),
            period=writer.minutes(part.period),
        )
    return writer.say("percent", percent=writer.percent(value), fee=fee)


def _step(found: Sum, part: Part, rule: Rule, writer: Writer) -> str:
    allowance, beyond = found.allowance(part, rule), ""
    if allowance:
        words = writer.minutes(allowance)
        if rule.allowance_uptime is not None:
            uptime = writer.percent(rule.allowance_uptime)
            words = writer.say("allowance_uptime", allowance=words, uptime=uptime)
        beyond = writer.say("beyond", allowance=words)
    return writer.say(
        f"step_{rule.step_counts}",
        n=found.steps(part, rule),
        percent=writer.percent(rule.credit_value or Decimal(0)),
        fee=fee_in_words(found, writer),
        step=writer.minutes(int((rule.step_minutes or 1) * 60_000)),
        beyond=beyond,
    )


def fee_in_words(found: Sum, writer: Writer, months: int | None = None) -> str:
    """The fee of so many months, and how it comes from the subscription's of its interval.

    Of as many as credits are counted from unless `months` says otherwise.
    """
    whole = writer.money(found.award.fee_minor or 0)
    months, interval = months or found.fee_months, found.interval_months
    if months == interval:
        return whole
    fee = writer.exact_money(shown(found.fee_of(months)))
    if interval % months == 0:
        return writer.say("fee_part", fee=fee, parts=interval // months, whole=whole)
    if months % interval == 0:
        return writer.say("fee_times", fee=fee, parts=months // interval, whole=whole)
    return writer.say("fee_share", fee=fee, months=months, whole=whole, interval=interval)
