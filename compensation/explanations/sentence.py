"""The sum in one sentence."""

from decimal import Decimal

from compensation.explanations.numbers import Writer
from compensation.explanations.sums import Sum
from compensation.explanations.words import GOODWILL, known
from compensation.models import Award, Rule


def explain(award: Award, language: str = "en") -> str:
    """Why `award` is what it is, in `language` (en, de or ru; others read English).

    60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: 10 % of EUR 499.00 = EUR 49.90

    Goodwill has no sum but a reason, which stands in Russian, too: its words are the giver's.
    """
    found = Sum.of(award)
    if found is None:
        return _goodwill(award, language)
    writer = Writer(known(language), award.currency)
    rules = giving(found)
    parts = [_time(found, writer), *(_row(found, rule, writer) for rule in rules)]
    if award.benefit != Award.Benefit.CREDIT:
        return "; ".join(parts)
    total = _uncapped(found, writer)
    if len(rules) > 1:
        parts.append(writer.say("together", amount=total))
    elif rules and rules[0].credit != Rule.Credit.FIXED:
        parts[-1] = f"{parts[-1]} = {total}"
    if found.is_capped:
        parts.append(_cap(found, writer))
    return "; ".join(parts)


def _goodwill(award: Award, language: str) -> str:
    words = GOODWILL.get(language, GOODWILL["en"])
    word = words["ticket"] if award.origin else words["plain"]
    return word.format(origin=award.origin, reason=award.reason)


def giving(found: Sum) -> list[Rule]:
    """Of the rows that fitted, those that give this benefit."""
    field = {
        Award.Benefit.CREDIT: "credit",
        Award.Benefit.TRIAL: "trial_days",
        Award.Benefit.PRIORITY: "priority_days",
    }[Award.Benefit(found.award.benefit)]
    return [rule for rule in found.rules if getattr(rule, field)]


def _time(found: Sum, writer: Writer) -> str:
    award, down = found.award, writer.minutes(found.down_ms)
    if found.is_weighted:
        down = writer.say(
            "weighted",
            major=writer.minutes(award.major_seconds * 1000),
            partial=writer.minutes(award.partial_seconds * 1000),
            weight=writer.percent(found.version.partial_weight * 100),
            down=down,
        )
    elif found.down_ms % 60_000 == 0:
        # "60 of 43,200 minutes": the unit once
        down = writer.number(found.down_ms // 60_000)
    return writer.say(
        "down",
        down=down,
        period=writer.minutes(found.period_ms),
        uptime=writer.uptime(found.uptime, found.bounds),
    )


def _row(found: Sum, rule: Rule, writer: Writer) -> str:
    bounds, benefit = when(rule, writer), gives_in_words(found, rule, writer)
    return f"{bounds}: {benefit}" if bounds else benefit


def when(rule: Rule, writer: Writer) -> str:
    """The row's bounds in words, the upper one first."""
    bounds = []
    for name, write in (
        ("uptime", writer.percent),
        ("minutes", lambda value: writer.minutes(int(value * 60_000))),
    ):
        kind = "percent" if name == "uptime" else "minutes"
        high, low = getattr(rule, f"{name}_to"), getattr(rule, f"{name}_from")
        if high is not None:
            word = "at_most" if getattr(rule, f"{name}_to_inclusive") else "below"
            bounds.append(writer.say(f"{kind}_{word}", bound=write(high)))
        if low is not None and low > 0:
            word = "from" if getattr(rule, f"{name}_from_inclusive") else "above"
            bounds.append(writer.say(f"{kind}_{word}", bound=write(low)))
    if len(bounds) > 1:
        return writer.say("and", one=", ".join(bounds[:-1]), other=bounds[-1])
    return "".join(bounds)


def gives_in_words(found: Sum, rule: Rule, writer: Writer) -> str:
    award = found.award
    if award.benefit == Award.Benefit.TRIAL:
        return _days("trial", rule.trial_days, award, writer)
    if award.benefit == Award.Benefit.PRIORITY:
        return _days("priority", rule.priority_days, award, writer)
    if rule.credit == Rule.Credit.FIXED:
        return writer.money(rule.credit_amounts.get(award.currency, 0))
    value = rule.credit_value or Decimal(0)
    fee = fee_in_words(found, writer)
    if rule.credit == Rule.Credit.PERCENT:
        return writer.say("percent", percent=writer.percent(value), fee=fee)
    return writer.say(
        "time_multiple",
        multiple=writer.number(value),
        fee=fee,
        down=writer.minutes(found.down_ms),
        period=writer.minutes(found.period_ms),
    )


def _days(benefit: str, days: int, award: Award, writer: Writer) -> str:
    """The date stands where one row gives all the days: several end together."""
    until = award.trial_end_target if benefit == "trial" else award.priority_until
    if until is None or days != award.days:
        return writer.say(benefit, days=days)
    return writer.say(f"{benefit}_until", days=days, date=writer.day(until))


def fee_in_words(found: Sum, writer: Writer) -> str:
    """The period's fee, and how it comes from the subscription's where that is another one."""
    whole = writer.money(found.award.fee_minor or 0)
    months, interval = found.period_months, found.interval_months
    if months == interval:
        return whole
    fee = writer.exact_money(found.fee_shown)
    if interval % months == 0:
        return writer.say("fee_part", fee=fee, parts=interval // months, whole=whole)
    if months % interval == 0:
        return writer.say("fee_times", fee=fee, parts=months // interval, whole=whole)
    return writer.say("fee_share", fee=fee, months=months, whole=whole, interval=interval)


def _uncapped(found: Sum, writer: Writer) -> str:
    """What it came to before a cap."""
    award = found.award
    if not found.is_capped or award.raw_amount is None:
        return writer.money(award.amount_minor)
    return writer.exact_money(award.raw_amount)


def _cap(found: Sum, writer: Writer) -> str:
    award = found.award
    values = {
        "cap": writer.money(award.cap_minor or 0),
        "amount": writer.money(award.amount_minor),
    }
    if not award.given_minor:
        return writer.say("cap", **values)
    return writer.say("cap_given", given=writer.money(award.given_minor), **values)


def benefit_in_words(award: Award, writer: Writer) -> str:
    if award.benefit == Award.Benefit.CREDIT:
        return writer.money(award.amount_minor)
    return _days(award.benefit, award.days, award, writer)
