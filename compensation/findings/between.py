"""Holes, overlaps and rows that nothing reaches, among all rows of a version."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from compensation.coverage import (
    MINUTES,
    UPTIME,
    Axis,
    Cut,
    Hole,
    Range,
    groups,
    holes,
    in_words,
    is_bounded,
    span,
    unreachable,
)
from compensation.findings.amounts import number
from compensation.findings.finding import Code, Finding
from compensation.models import PolicyVersion, Rule


def between_rows(version: PolicyVersion, rules: Sequence[Rule]) -> Iterator[Finding]:
    adds_up = version.hit_policy == PolicyVersion.HitPolicy.ALL
    lost = set() if adds_up else unreachable(rules)
    for position in sorted(lost):
        yield Finding(
            "No one gets to this row: the rows before it take everyone that it fits. Move it up, "
            "or remove it.",
            is_error=False, position=position, field="position", code=Code.UNREACHABLE,
        )  # fmt: skip
    for hole in holes(version, rules):
        yield _hole(hole)
    if not adds_up:
        reached = [rule for rule in rules if rule.position not in lost]
        for axis in (UPTIME, MINUTES):
            for group in groups(reached, axis):
                for lower, upper in pairwise(group):
                    yield from _overlap(axis, lower, upper)
    yield from _uptime_steps(version, rules)
    yield from _too_short(version, rules)


def _hole(hole: Hole) -> Finding:
    axis = hole.axis
    field = f"{axis.name}_{'from' if axis is UPTIME else 'to'}"
    if hole.range.is_point:
        remedy = " Let a row beside it count its bound."
    elif hole.other is None:
        remedy = " Should more out of order not give more? Add a row, or empty the bound."
    else:
        remedy = f" It is a hole between this row and row {hole.other}: move a bound."
    return Finding(
        f"Nothing is due {in_words(axis, hole.range)}.{remedy}",
        is_error=False, position=hole.position, field=field, code=Code.HOLE, hole=hole,
    )  # fmt: skip


def _overlap(axis: Axis, lower: Rule, upper: Rule) -> Iterator[Finding]:
    a, b = span(lower, axis), span(upper, axis)
    common = Range(max(a.low, b.low), min(a.high, b.high))
    if common.is_empty:
        return
    yield Finding(
        f"It overlaps with row {lower.position} {in_words(axis, common)}: there, the one that "
        "stands first counts.",
        is_error=False, position=upper.position, field=f"{axis.name}_from", code=Code.OVERLAP,
    )  # fmt: skip


def _uptime_steps(version: PolicyVersion, rules: Sequence[Rule]) -> Iterator[Finding]:
    """Bounds finer than what uptime is rounded to before it is compared with them."""
    decimals = version.uptime_decimals
    if decimals is None:
        return
    for rule in rules:
        where = span(rule, UPTIME)
        if not where.is_empty and not where.has_step(decimals):
            yield Finding(
                f"No uptime rounded to {decimals} decimals lies between its bounds.",
                is_error=False, position=rule.position, field="uptime_from",
                code=Code.UNREACHABLE,
            )  # fmt: skip
        for field in ("uptime_from", "uptime_to"):
            value = getattr(rule, field)
            if value is not None and value != round(value, decimals):
                yield Finding(
                    f"Uptime is rounded to {decimals} decimals before it is compared with "
                    f"{number(value)}: round less, or write a coarser bound.",
                    is_error=False, position=rule.position, field=field,
                    code=Code.TOO_FINE_BOUND,
                )  # fmt: skip


def _too_short(version: PolicyVersion, rules: Sequence[Rule]) -> Iterator[Finding]:
    """Rows for outages so short that they do not count."""
    shortest = version.shortest_minutes
    is_weighed = version.affected_share or version.partial_weight < 1 or version.interval_minutes
    if shortest is None or is_weighed:
        return
    counts_from = Cut(shortest, 1 if version.is_shortest_exclusive else 0)
    for rule in rules:
        where = span(rule, MINUTES)
        if is_bounded(rule, MINUTES) and not where.is_empty and where.high <= counts_from:
            yield Finding(
                f"Outages count from {number(shortest)} minutes on: none is as short as this row "
                "asks.",
                is_error=False, position=rule.position, field="minutes_to",
                code=Code.BELOW_SHORTEST,
            )  # fmt: skip
