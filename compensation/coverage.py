"""Which uptimes and downtimes the rows of a policy cover, and where they leave a hole.

Bounds are cuts between values: (99, 0) lies just before 99 and (99, 1) just after it, so that
"from 99", "above 99", "up to 99" and "below 99" are told apart by comparing pairs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from compensation.models import PolicyVersion, Rule

LISTS = ("plans", "countries", "segments", "statuses")
NO_END = Decimal("Infinity")


class Cut(NamedTuple):
    """A place just before (side 0) or just after (side 1) a value."""

    value: Decimal
    side: int


class Range(NamedTuple):
    """From one cut to another; empty unless the first comes before the second."""

    low: Cut
    high: Cut

    @property
    def is_empty(self) -> bool:
        return self.low >= self.high

    @property
    def is_point(self) -> bool:
        return self.low.value == self.high.value

    def holds(self, value: Fraction) -> bool:
        low, high = self.low, self.high
        above = value > low.value or (value == low.value and low.side == 0)
        if high.value.is_infinite():
            return above
        return above and (value < high.value or (value == high.value and high.side == 1))

    def has_step(self, decimals: int) -> bool:
        """Whether a number of so many decimals lies in it."""
        step = Decimal(1).scaleb(-decimals)
        first = self.low.value.quantize(step, rounding=ROUND_FLOOR)
        while Cut(first, 0) < self.low:
            first += step
        return Cut(first, 1) <= self.high


class Axis(NamedTuple):
    """What rows bound: the fields' name, its smallest and largest value, the unit in words."""

    name: str
    whole: Range
    unit: str


UPTIME = Axis("uptime", Range(Cut(Decimal(0), 0), Cut(Decimal(100), 1)), "% uptime")
MINUTES = Axis("minutes", Range(Cut(Decimal(0), 0), Cut(NO_END, 1)), "minutes of downtime")
AXES = (UPTIME, MINUTES)


@dataclass(frozen=True)
class Hole:
    """Uptimes or downtimes for which no row gives anything, though rows on a side of it do.

    `position` is the row beside it where less was out of order, `other` the one beyond, if any.
    """

    axis: Axis
    range: Range
    position: int
    other: int | None


def span(rule: Rule, axis: Axis) -> Range:
    """What the row's bounds let in."""
    low, high = getattr(rule, f"{axis.name}_from"), getattr(rule, f"{axis.name}_to")
    first, last = axis.whole
    if low is not None:
        first = Cut(low, 0 if getattr(rule, f"{axis.name}_from_inclusive") else 1)
    if high is not None:
        last = Cut(high, 1 if getattr(rule, f"{axis.name}_to_inclusive") else 0)
    return Range(first, last)


def is_bounded(rule: Rule, axis: Axis) -> bool:
    return any(getattr(rule, f"{axis.name}_{end}") is not None for end in ("from", "to"))


def gaps(covered: Iterable[Range], whole: Range) -> Iterator[Range]:
    """The parts of `whole` that none of `covered` reaches, in order."""
    at = whole.low
    for low, high in sorted(one for one in covered if not one.is_empty):
        if low > at:
            yield Range(at, min(low, whole.high))
        at = max(at, high)
        if at >= whole.high:
            return
    if at < whole.high:
        yield Range(at, whole.high)


def asks_no_more(broad: Rule, narrow: Rule, *, but: Axis) -> bool:
    """Whether, apart from its bounds on one axis, `broad` fits whoever `narrow` fits."""
    for name in LISTS:
        wanted = set(getattr(broad, name))
        if wanted and not (getattr(narrow, name) and wanted.issuperset(getattr(narrow, name))):
            return False
    if broad.condition.strip() not in {"", narrow.condition.strip()}:
        return False
    if (broad.tenure_months_from or 0) > (narrow.tenure_months_from or 0):
        return False
    if broad.tenure_months_to is not None and (
        narrow.tenure_months_to is None or narrow.tenure_months_to > broad.tenure_months_to
    ):
        return False
    spans = ((span(broad, axis), span(narrow, axis)) for axis in AXES if axis != but)
    return all(b.low <= n.low and n.high <= b.high for b, n in spans)


def groups(rules: Sequence[Rule], axis: Axis) -> list[list[Rule]]:
    """The rows with bounds on `axis`, put together where they ask the same otherwise.

    Rows that nothing fits are left out.
    """
    alike: dict[tuple[Any, ...], list[Rule]] = defaultdict(list)
    for rule in rules:
        if is_bounded(rule, axis) and not span(rule, axis).is_empty:
            alike[_asked(rule, axis)].append(rule)
    return [sorted(group, key=lambda rule: span(rule, axis)) for group in alike.values()]


def _asked(rule: Rule, but: Axis) -> tuple[Any, ...]:
    return (
        *(tuple(sorted(getattr(rule, name))) for name in LISTS),
        rule.tenure_months_from,
        rule.tenure_months_to,
        rule.condition.strip(),
        *(span(rule, axis) for axis in AXES if axis != but),
    )


def holes(version: PolicyVersion, rules: Sequence[Rule]) -> list[Hole]:
    """Where less out of order is paid for and more is not, or nothing lies between two rows.

    That nothing is due above the highest uptime, or below the shortest downtime, is no hole.
    """
    return [
        hole
        for axis in AXES
        for group in groups(rules, axis)
        for hole in _holes_of(group, rules, axis, version.uptime_decimals)
    ]


def _holes_of(
    group: list[Rule], rules: Sequence[Rule], axis: Axis, decimals: int | None
) -> Iterator[Hole]:
    covered = [span(rule, axis) for rule in rules if asks_no_more(rule, group[0], but=axis)]
    spans = {span(rule, axis): rule.position for rule in group}
    if axis is UPTIME:
        whole = Range(axis.whole.low, max(one.high for one in spans))
    else:
        whole = Range(min(one.low for one in spans), axis.whole.high)
    for gap in gaps(covered, whole):
        if axis is UPTIME and decimals is not None and not gap.has_step(decimals):
            continue  # Uptime, once rounded, never lies there.
        above = next((n for one, n in spans.items() if one.low == gap.high), None)
        below = next((n for one, n in spans.items() if one.high == gap.low), None)
        here, other = (above, below) if axis is UPTIME else (below, above)
        yield Hole(axis, gap, position=here or other or group[0].position, other=other)


def unreachable(rules: Sequence[Rule]) -> set[int]:
    """Positions of rows that earlier ones leave nothing to.

    Rows whose own bounds let nothing in are not among them.
    """
    found = set()
    for at, rule in enumerate(rules):
        for axis in AXES:
            mine = span(rule, axis)
            earlier = [
                span(other, axis) for other in rules[:at] if asks_no_more(other, rule, but=axis)
            ]
            if earlier and not mine.is_empty and not any(gaps(earlier, mine)):
                found.add(rule.position)
    return found


def in_words(axis: Axis, where: Range) -> str:
    """Such as "at exactly 99 % uptime" or "from 9 to below 10 minutes of downtime"."""
    if where.is_point:
        return f"at exactly {_number(where.low.value)} {axis.unit}"
    said = []
    if where.low > axis.whole.low:
        word = "from" if where.low.side == 0 else "above"
        said.append(f"{word} {_number(where.low.value)}")
    if where.high < axis.whole.high:
        word = "below" if where.high.side == 0 else "up to"
        said.append(f"{word} {_number(where.high.value)}")
    return f"{' and '.join(said)} {axis.unit}"


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
