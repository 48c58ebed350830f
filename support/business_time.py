"""Counting in the hours that a support team works.

A moment is open when the clock on the wall, in the calendar's time zone, stands inside a slot of
that weekday and the date is neither a holiday nor closed. What is counted is real time: a slot
from 01:00 to 04:00 lasts two hours on the day the clocks go forward and four on the day they go
back. Moments count in whole seconds; fractions are dropped.

The openings of a year are worked out once and kept with their running total, so a call is a look
into a sorted list, however many days lie between.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from support.wall_clock import DAY, EPOCH_DAY, at, offsets, position

# So long without an open second is a mistake in the calendar, not a long holiday.
LONGEST_CLOSURE_YEARS = 5
# What takes longer than this was never meant; it also bounds how far a call can run.
LONGEST_COUNT_YEARS = 100


@dataclass(frozen=True, slots=True)
class Year:
    """The openings that fall into one year of UTC, in seconds since 1970, in order.

    `before[i]` is how many open seconds of the year precede opening `i`.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]
    total: int

    def elapsed(self, moment: int) -> int:
        """The year's open seconds before `moment`."""
        opening = bisect_right(self.starts, moment) - 1
        if opening < 0:
            return 0
        return self.before[opening] + min(moment, self.ends[opening]) - self.starts[opening]

    def earliest(self, elapsed: int) -> int:
        """The first moment by which `elapsed` (1 to total) open seconds are over."""
        opening = bisect_left(self.before, elapsed) - 1
        return self.starts[opening] + elapsed - self.before[opening]

    def latest(self, elapsed: int) -> int:
        """The last moment by which no more than `elapsed` (0 to total - 1) are over."""
        opening = bisect_right(self.before, elapsed) - 1
        return self.starts[opening] + elapsed - self.before[opening]


@dataclass(frozen=True, slots=True, eq=False)
class BusinessCalendar:
    """When a team works.

    `slots` maps a weekday (Monday is 0) to pairs of minutes of the day on the wall clock; the end
    is not part of a slot, 1440 is midnight. Slots that overlap count once. `holidays` answers
    `date in holidays`; `closures` and `reopenings` are pairs of a first and a last date. On a
    reopened date the slots hold in spite of any holiday or closure.

    Raises:
        ValidationError: there is no slot at all, or one that is not within a day.
    """

    time_zone: ZoneInfo
    slots: Mapping[int, Iterable[tuple[int, int]]]
    holidays: Container[date] = frozenset()
    closures: tuple[tuple[date, date], ...] = ()
    reopenings: tuple[tuple[date, date], ...] = ()
    _week: dict[int, tuple[tuple[int, int], ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _years: dict[int, Year] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for weekday, slots in self.slots.items():
            self._week[weekday] = merged(sorted(seconds_of(*slot) for slot in slots))
        if not any(self._week.values()):
            raise ValidationError(_("This calendar has no working hours."), code="no_hours")

    def is_closed(self, day: date) -> bool:
        """Whether a holiday or a closure takes the whole of this date."""
        if is_within(day, self.reopenings):
            return False
        return day in self.holidays or is_within(day, self.closures)

    def hours(self, day: date) -> tuple[tuple[int, int], ...]:
        """The slots of a date, as seconds since midnight on the wall clock."""
        slots = self._week.get(day.weekday(), ())
        return () if not slots or self.is_closed(day) else slots

    def year(self, number: int) -> Year:
        """The openings of a year of UTC."""
        known = self._years.get(number)
        if known is None:
            known = self._years[number] = self._year(number)
        return known

    def _year(self, number: int) -> Year:
        openings = merged(self._openings(number))
        lengths = [end - start for start, end in openings]
        return Year(
            starts=tuple(start for start, _end in openings),
            ends=tuple(end for _start, end in openings),
            before=tuple(accumulate(lengths[:-1], initial=0)) if lengths else (),
            total=sum(lengths),
        )

    def _openings(self, number: int) -> Iterator[tuple[int, int]]:
        """In order. Between two changes of the clock, wall time is UTC and a fixed number."""
        for start, end, offset in offsets(self.time_zone, number):
            first, last = start + offset, end + offset
            for day in range(first // DAY, (last - 1) // DAY + 1):
                for opens, closes in self.hours(date.fromordinal(day + EPOCH_DAY)):
                    begin = max(day * DAY + opens, first)
                    finish = min(day * DAY + closes, last)
                    if begin < finish:
                        yield begin - offset, finish - offset


def add_business_seconds(calendar: BusinessCalendar, start: datetime, seconds: int) -> datetime:
    """The first moment, in UTC, by which so many open seconds have gone by since `start`.

    Fewer than 0 count back: the last moment from which so many remain until `start`.

    Raises:
        ValidationError: the calendar is closed for years on end, or the count takes a century.
        ValueError: `start` has no time zone.
    """
    moment, number = position(start)
    if seconds == 0:
        return at(moment)
    wanted = calendar.year(number).elapsed(moment) + seconds
    if seconds > 0:
        return at(forward(calendar, number, wanted))
    return at(back(calendar, number, wanted))


def business_seconds_between(calendar: BusinessCalendar, start: datetime, end: datetime) -> int:
    """The open seconds from `start` to `end`; negative where `end` comes first.

    Raises:
        ValueError: a moment has no time zone.
    """
    first, first_year = position(start)
    last, last_year = position(end)
    if first_year > last_year:
        return -business_seconds_between(calendar, end, start)
    whole_years = sum(calendar.year(number).total for number in range(first_year, last_year))
    begun, ending = calendar.year(first_year), calendar.year(last_year)
    return whole_years + ending.elapsed(last) - begun.elapsed(first)


def forward(calendar: BusinessCalendar, number: int, wanted: int) -> int:
    """The first moment by which `wanted` (above 0) open seconds of year `number` are over."""
    closed = 0
    for ahead in range(LONGEST_COUNT_YEARS):
        year = calendar.year(number + ahead)
        if wanted <= year.total:
            return year.earliest(wanted)
        wanted -= year.total
        closed = refuse_closed(number + ahead, 0 if year.total else closed + 1)
    raise too_long()


def back(calendar: BusinessCalendar, number: int, wanted: int) -> int:
    """The last moment by which `wanted` open seconds of year `number` are over.

    Below 0 it lies in a year before.
    """
    closed = 0
    for behind in range(LONGEST_COUNT_YEARS):
        year = calendar.year(number - behind)
        wanted += year.total if behind else 0
        if wanted >= 0:
            return year.latest(wanted)
        closed = refuse_closed(number - behind, 0 if year.total else closed + 1)
    raise too_long()


def refuse_closed(number: int, closed_years: int) -> int:
    """Give `closed_years` back, unless there were too many of them."""
    if closed_years > LONGEST_CLOSURE_YEARS:
        raise ValidationError(
            _("This calendar has no working hours for over %(years)s years around %(year)s."),
            code="closed",
            params={"years": LONGEST_CLOSURE_YEARS, "year": number},
        )
    return closed_years


def too_long() -> ValidationError:
    return ValidationError(
        _("In this calendar so many hours take more than %(years)s years."),
        code="too_long",
        params={"years": LONGEST_COUNT_YEARS},
    )


def seconds_of(from_minute: int, to_minute: int) -> tuple[int, int]:
    """A slot in seconds since midnight."""
    if not 0 <= from_minute < to_minute <= DAY // 60:
        raise ValidationError(
            _("Hours must end after they begin, at 24:00 the latest."), code="no_slot"
        )
    return from_minute * 60, to_minute * 60


def is_within(day: date, spans: tuple[tuple[date, date], ...]) -> bool:
    return any(first <= day <= last for first, last in spans)


def merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans in order of their starts, those that touch or overlap as one."""
    whole: list[tuple[int, int]] = []
    for start, end in spans:
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return tuple(whole)
