"""The sum as lines of a label and a value, for a page that shows it in full."""

from collections.abc import Iterator

from compensation.explanations.numbers import Writer
from compensation.explanations.sentence import (
    benefit_in_words,
    fee_in_words,
    gives_in_words,
    giving,
    when,
)
from compensation.explanations.sums import Sum
from compensation.explanations.words import known
from compensation.models import Award


def explain_steps(award: Award, language: str = "en") -> list[tuple[str, str]]:
    """Every figure the award was priced from, in the order of the sum."""
    writer = Writer(known(language), award.currency)
    found = Sum.of(award)
    steps: list[tuple[str, str]] = []
    if found is not None:
        steps += _time(found, writer)
        for rule in giving(found):
            bounds = when(rule, writer) or writer.say("any")
            value = f"{bounds}: {gives_in_words(found, rule, writer)}"
            steps.append((writer.say("label_row", position=rule.position), value))
        if award.benefit == Award.Benefit.CREDIT:
            steps += _money(found, writer)
    return [*steps, (writer.say("label_result"), benefit_in_words(award, writer))]


def _time(found: Sum, writer: Writer) -> Iterator[tuple[str, str]]:
    award = found.award
    if award.major_seconds or not award.partial_seconds:
        yield writer.say("label_major"), writer.minutes(award.major_seconds * 1000)
    if award.partial_seconds:
        yield writer.say("label_partial"), writer.minutes(award.partial_seconds * 1000)
    if found.is_weighted:
        weight = writer.percent(found.version.partial_weight * 100)
        yield writer.say("label_weight"), weight
        yield writer.say("label_down"), writer.minutes(found.down_ms)
    assert award.period_start is not None and award.period_end is not None  # noqa: PT018, S101
    yield (
        writer.say("label_period"),
        writer.say(
            "period",
            start=writer.day(award.period_start),
            end=writer.last_day(award.period_end),
            length=writer.minutes(found.period_ms),
        ),
    )
    yield writer.say("label_uptime"), writer.uptime(found.uptime, found.bounds)


def _money(found: Sum, writer: Writer) -> Iterator[tuple[str, str]]:
    award = found.award
    if award.fee_minor is not None:
        yield writer.say("label_fee"), fee_in_words(found, writer)
    if award.raw_amount is not None:
        yield writer.say("label_exact"), writer.exact_money(award.raw_amount)
    if award.cap_minor is not None:
        yield writer.say("label_cap"), writer.money(award.cap_minor)
        if award.given_minor:
            yield writer.say("label_given"), writer.money(award.given_minor)
    least = found.version.minimum_amounts.get(award.currency)
    if least:
        word = "more_than" if found.version.is_minimum_exclusive else "at_least"
        yield writer.say("label_least"), writer.say(word, amount=writer.money(least))
