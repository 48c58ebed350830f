"""The sum in one sentence."""

from collections.abc import Iterator
from fractions import Fraction

from compensation.explanations.counting import counting
from compensation.explanations.credits import credit_in_words
from compensation.explanations.downtime import Part
from compensation.explanations.numbers import Writer
from compensation.explanations.sums import Sum, shown
from compensation.explanations.words import GOODWILL, known
from compensation.models import Award, Rule
from compensation.pricing.terms import MINUTE_MS

# More outages than these are not told one by one; the data has all.
MOST_OUTAGES = 5


def explain(award: Award, language: str = "en") -> str:
    """Why `award` is what it is, in `language` (en, de or ru; others read English).

    60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: 10 % of EUR 499.00 = EUR 49.90

    Goodwill has no sum but a reason, which stands in Russian, too: its words are the giver's.
    """
    found = Sum.of(award)
    if found is None:
        return _goodwill(award, language)
    writer = Writer(known(language), award.currency)
    parts = [*counting(found, writer), *_priced(found, writer)]
    if award.benefit != Award.Benefit.CREDIT:
        return "; ".join([*parts, *_days_left(found, writer)])
    rules = [rule for part in found.parts for rule in found.giving(part)]
    total = _uncapped(found, writer)
    if len(rules) > 1:
        parts.append(writer.say("together", amount=total))
    elif rules and (rules[0].credit != Rule.Credit.FIXED):
        parts[-1] = f"{parts[-1]} = {total}"
    if found.given_by_batches:
        parts.append(_less(found, writer))
    if found.is_capped:
        parts.append(_cap(found, writer))
    return "; ".join(parts)


def _goodwill(award: Award, language: str) -> str:
    words = GOODWILL.get(language, GOODWILL["en"])
    word = words["ticket"] if award.origin else words["plain"]
    return word.format(origin=award.origin, reason=award.reason)


def _priced(found: Sum, writer: Writer) -> Iterator[str]:
    """The time and its rows; of several outages priced by themselves, each with its own."""
    several = len(found.parts) > 1
    for n, part in enumerate(found.parts[:MOST_OUTAGES], start=1):
        time = part_in_words(found, part, writer)
        yield writer.say("outage", n=n, what=time) if several else time
        for rule in found.giving(part):
            yield _row(found, part, rule, writer)
    if len(found.parts) > MOST_OUTAGES:
        yield writer.say("more", n=len(found.parts) - MOST_OUTAGES)


def part_in_words(found: Sum, part: Part, writer: Writer) -> str:
    """Downtime of the period, and the uptime it makes."""
    award, down = found.award, writer.minutes(part.down)
    if found.is_weighted:
        down = writer.say(
            "weighted",
            major=writer.minutes(award.major_seconds * 1000),
            partial=writer.minutes(award.partial_seconds * 1000),
            weight=writer.percent(found.version.partial_weight * 100),
            down=down,
        )
    elif part.down % MINUTE_MS == 0:
        # "60 of 43,200 minutes": the unit once
        down = writer.number(int(part.down // MINUTE_MS))
    return writer.say(
        "down",
        down=down,
        period=writer.minutes(part.period),
        uptime=uptime_in_words(found, part, writer),
    )


def uptime_in_words(found: Sum, part: Part, writer: Writer) -> str:
    uptime, rounded = writer.uptime(part.uptime, found.bounds), part.uptime_rounded
    if rounded is None or Fraction(rounded) == part.uptime:
        return uptime
    return writer.say("rounded", uptime=uptime, rounded=writer.percent(rounded))


def _row(found: Sum, part: Part, rule: Rule, writer: Writer) -> str:
    bounds, benefit = when(rule, writer), gives_in_words(found, part, rule, writer)
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


def gives_in_words(found: Sum, part: Part, rule: Rule, writer: Writer) -> str:
    award = found.award
    if award.benefit == Award.Benefit.TRIAL:
        return _days("trial", rule.trial_days, award, writer)
    if award.benefit == Award.Benefit.PRIORITY:
        return _days("priority", rule.priority_days, award, writer)
    if rule.credit == Rule.Credit.FIXED:
        return writer.money(rule.credit_amounts.get(award.currency, 0))
    return credit_in_words(found, part, rule, writer)


def _days(benefit: str, days: int, award: Award, writer: Writer) -> str:
    """The date stands where one row gives all the days: several end together."""
    until = award.trial_end_target if benefit == "trial" else award.priority_until
    if until is None or days != award.days:
        return writer.say(benefit, days=days)
    return writer.say(f"{benefit}_until", days=days, date=writer.day(until))


def _days_left(found: Sum, writer: Writer) -> Iterator[str]:
    """Where the cap, or what was given before, left fewer days of service than promised."""
    award, promised = found.award, found.days_promised
    if award.benefit == Award.Benefit.TRIAL and award.days < promised:
        yield writer.say("days_left", promised=promised, days=award.days)


def _uncapped(found: Sum, writer: Writer) -> str:
    """What the rows came to, before anything was taken away."""
    award = found.award
    if found.given_by_batches:
        return writer.exact_money(shown(found.total))
    if not found.is_capped or award.raw_amount is None:
        return writer.money(award.amount_minor)
    return writer.exact_money(award.raw_amount)


def _less(found: Sum, writer: Writer) -> str:
    award = found.award
    left = award.raw_amount if found.is_capped and award.raw_amount is not None else None
    return writer.say(
        "less",
        given=writer.money(found.given_by_batches),
        amount=writer.money(award.amount_minor) if left is None else writer.exact_money(left),
    )


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
