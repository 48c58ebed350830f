"""The sum as lines of a label and a value, for a page that shows it in full."""

from collections.abc import Iterator

from compensation.explanations.counting import (
    intervals_in_words,
    is_weighed,
    share_in_words,
    weighed_in_words,
)
from compensation.explanations.credits import fee_in_words
from compensation.explanations.downtime import LivedOutage, Part
from compensation.explanations.numbers import Writer
from compensation.explanations.sentence import (
    benefit_in_words,
    gives_in_words,
    part_in_words,
    when,
)
from compensation.explanations.sums import Sum, shown
from compensation.explanations.words import known
from compensation.models import Award, PolicyVersion

Lines = Iterator[tuple[str, str]]


def explain_steps(award: Award, language: str = "en") -> list[tuple[str, str]]:
    """Every figure the award was priced from, in the order of the sum."""
    writer = Writer(known(language), award.currency)
    found = Sum.of(award)
    steps: list[tuple[str, str]] = []
    if found is not None:
        steps += [*_time(found, writer), *_counted(found, writer), *_period(found, writer)]
        for n, part in enumerate(found.parts, start=1):
            steps += _part(found, n, part, writer)
        if award.benefit == Award.Benefit.CREDIT:
            steps += _money(found, writer)
        if award.benefit == Award.Benefit.TRIAL:
            steps += _days(found, writer)
    return [*steps, (writer.say("label_result"), benefit_in_words(award, writer))]


def _time(found: Sum, writer: Writer) -> Lines:
    award = found.award
    if award.major_seconds or not award.partial_seconds:
        yield writer.say("label_major"), writer.minutes(award.major_seconds * 1000)
    if award.partial_seconds:
        yield writer.say("label_partial"), writer.minutes(award.partial_seconds * 1000)
        if found.version.partial_weight != 1:
            weight = writer.percent(found.version.partial_weight * 100)
            yield writer.say("label_weight"), weight


def _counted(found: Sum, writer: Writer) -> Lines:
    """From the outages to what counts of them."""
    downtime = found.downtime
    if downtime.incidents > 1:
        yield writer.say("label_incidents"), writer.number(downtime.incidents)
    if downtime.outages:
        listed = "; ".join(_listed(outage, writer) for outage in downtime.outages)
        yield writer.say("label_outages"), listed
    if downtime.share is not None:
        yield writer.say("label_share"), share_in_words(downtime.share, writer)
    if is_weighed(found):
        yield writer.say("label_weighed"), weighed_in_words(found, writer)
    if found.version.interval_minutes is not None and downtime.outages:
        yield writer.say("label_intervals"), intervals_in_words(found, writer)
    if found.is_weighted or downtime.outages:
        yield writer.say("label_down"), writer.minutes(downtime.total)


def _listed(outage: LivedOutage, writer: Writer) -> str:
    length = writer.minutes(outage.length)
    if outage.is_too_short:
        return writer.say("listed_too_short", length=length)
    return length if outage.counted else writer.say("listed_nothing", length=length)


def _period(found: Sum, writer: Writer) -> Lines:
    award = found.award
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


def _part(found: Sum, n: int, part: Part, writer: Writer) -> Lines:
    """What was priced at once: its uptime, and the rows that fitted."""
    if len(found.parts) > 1:
        yield writer.say("label_part", n=n), part_in_words(found, part, writer)
    else:
        yield writer.say("label_uptime"), writer.uptime(part.uptime, found.bounds)
        if part.uptime_rounded is not None:
            yield writer.say("label_rounded"), writer.percent(part.uptime_rounded)
    for rule in found.giving(part):
        bounds = when(rule, writer) or writer.say("any")
        value = f"{bounds}: {gives_in_words(found, part, rule, writer)}"
        yield writer.say("label_row", position=rule.position), value


def _money(found: Sum, writer: Writer) -> Lines:
    award = found.award
    if award.fee_minor is not None:
        is_month = found.version.fee_base == PolicyVersion.FeeBase.MONTH
        label = "label_month_fee" if is_month else "label_fee"
        yield writer.say(label), fee_in_words(found, writer)
    if found.given_by_batches:
        yield writer.say("label_promised"), writer.exact_money(shown(found.total))
        yield writer.say("label_less"), writer.money(found.given_by_batches)
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


def _days(found: Sum, writer: Writer) -> Lines:
    """Only where fewer were left than promised."""
    if found.award.days < found.days_promised:
        yield writer.say("label_days"), writer.number(found.days_promised)
        if found.version.cap_days is not None:
            yield writer.say("label_days_cap"), writer.number(found.version.cap_days)
