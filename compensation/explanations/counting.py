"""How outages became downtime, in words: only what the policy did to them."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from compensation.explanations.downtime import LivedOutage
from compensation.explanations.numbers import Writer
from compensation.explanations.sums import Sum
from compensation.models import PolicyVersion


def counting(found: Sum, writer: Writer) -> Iterator[str]:
    """Nothing where one outage counts as long as it was."""
    downtime = found.downtime
    if downtime.incidents > 1:
        yield writer.say("incidents", n=downtime.incidents)
    if len(downtime.outages) > 1 or any(outage.is_too_short for outage in downtime.outages):
        yield _how_many(found, writer)
    if is_weighed(found):
        yield weighed_in_words(found, writer)
    if found.version.interval_minutes is not None and downtime.outages:
        yield intervals_in_words(found, writer)


def _how_many(found: Sum, writer: Writer) -> str:
    short = sum(outage.is_too_short for outage in found.downtime.outages)
    words = writer.say("outages", n=len(found.downtime.counting))
    if not short:
        return words
    return writer.say("too_short", outages=words, bound=shortest_in_words(found, writer), n=short)


def shortest_in_words(found: Sum, writer: Writer) -> str:
    word = "not_longer" if found.version.is_shortest_exclusive else "shorter"
    bound = writer.minutes(int((found.version.shortest_minutes or 0) * 60_000))
    return writer.say(word, bound=bound)


def long_enough(found: Sum) -> list[LivedOutage]:
    return [outage for outage in found.downtime.outages if not outage.is_too_short]


def is_weighed(found: Sum) -> bool:
    return any(outage.weighed != outage.length for outage in found.downtime.outages)


def weighed_in_words(found: Sum, writer: Writer) -> str:
    """Of the outages that are long enough."""
    outages, share = long_enough(found), found.downtime.share
    values = {
        "length": writer.minutes(_sum(outage.length for outage in outages)),
        "weighed": writer.minutes(_sum(outage.weighed for outage in outages)),
    }
    if share is not None:
        return writer.say("weighed_customers", share=share_in_words(share, writer), **values)
    if found.version.affected_share == PolicyVersion.Share.REQUESTS:
        return writer.say("weighed_requests", **values)
    return writer.say("weighed", **values)


def share_in_words(share: Decimal, writer: Writer) -> str:
    return writer.percent(share * 100)


def intervals_in_words(found: Sum, writer: Writer) -> str:
    """All outages together, each of which was brought to whole intervals."""
    version = found.version
    return writer.say(
        f"intervals_{version.interval_rounding}",
        interval=writer.minutes(int((version.interval_minutes or 0) * 60_000)),
        down=writer.minutes(_sum(outage.counted for outage in found.downtime.outages)),
    )


def _sum(values: Iterator[Fraction]) -> Fraction:
    return sum(values, Fraction(0))
