"""What a time zone's clocks show: wall time against UTC, in whole seconds since 1970."""

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()
SECOND = timedelta(seconds=1)


@lru_cache(maxsize=512)
def offsets(time_zone: ZoneInfo, number: int) -> tuple[tuple[int, int, int], ...]:
    """Start, end and offset from UTC of each span of a year in which the clocks did not change.

    No zone has changed twice within a day, so a look at each day finds every change.
    """
    start, end = first_second(number), first_second(number + 1)
    spans = []
    since, offset = start, offset_at(time_zone, start)
    for day in range(start, end, DAY):
        if offset_at(time_zone, day + DAY) == offset:
            continue
        change = first_other(time_zone, day, offset)
        spans.append((since, change, offset))
        since, offset = change, offset_at(time_zone, change)
    spans.append((since, end, offset))
    return tuple(span for span in spans if span[0] < span[1])


def first_other(time_zone: ZoneInfo, moment: int, offset: int) -> int:
    """The first second of the 24 hours after `moment` that has another offset."""
    day = range(moment + 1, moment + DAY + 1)
    return day[bisect_left(day, 1, key=lambda second: offset_at(time_zone, second) != offset)]


def offset_at(time_zone: ZoneInfo, moment: int) -> int:
    """Seconds by which the wall clock is ahead of UTC."""
    ahead = at(moment).astimezone(time_zone).utcoffset()
    return int(ahead.total_seconds()) if ahead else 0


def position(moment: datetime) -> tuple[int, int]:
    """Whole seconds since 1970, and the year of UTC they fall into."""
    if moment.tzinfo is None:
        raise ValueError("Business time needs a moment with a time zone.")
    utc = moment.astimezone(UTC)
    return (utc - EPOCH) // SECOND, utc.year


def at(moment: int) -> datetime:
    return EPOCH + timedelta(seconds=moment)


def first_second(number: int) -> int:
    return (date(number, 1, 1).toordinal() - EPOCH_DAY) * DAY
