"""A calendar's week as it is kept, what the coming days look like, and whether it can be used."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from backoffice.accounts.models import User
from support.business_time import (
    BusinessCalendar,
    add_business_seconds,
    business_seconds_between,
)
from support.models import Calendar, CalendarSlot
from support.sla.hours import Slot, Span
from support.sla.recalculating import recalculate


@dataclass(frozen=True, slots=True)
class Closing:
    """A closure as it is written down: its name, first and last day."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Day:
    """One date: its hours in minutes of the day, how long they really last, why it is closed."""

    date: date
    slots: tuple[tuple[int, int], ...]
    seconds: int
    why: str

    @property
    def shift(self) -> int:
        """Seconds by which the change of the clocks makes it longer, or shorter (negative)."""
        return self.seconds - 60 * sum(end - start for start, end in self.slots)


@transaction.atomic
def set_week(calendar: Calendar, slots: Iterable[Slot], *, by: User | None) -> None:
    """Keep these hours (weekday, from, to; minutes of the day) in place of the present ones.

    The deadlines that count in them are worked out anew, as after any change of the calendar.
    """
    wanted = set(slots)
    present = {
        (slot.weekday, slot.from_minute, slot.to_minute): slot.pk for slot in calendar.slots.all()
    }
    gone = [pk for slot, pk in present.items() if slot not in wanted]
    calendar.slots.filter(pk__in=gone).delete()
    CalendarSlot.objects.bulk_create(
        CalendarSlot(calendar=calendar, weekday=day, from_minute=start, to_minute=end)
        for day, start, end in sorted(wanted - present.keys())
    )
    recalculate(calendar, by=by)


def check_opens(hours: BusinessCalendar) -> None:
    """Raises ValidationError where the calendar stays closed for years."""
    add_business_seconds(hours, timezone.now(), 1)


def coming_days(
    hours: BusinessCalendar, closings: Iterable[Closing], *, first: date, days: int
) -> list[Day]:
    """The `days` dates from `first` on, each with its hours or the reason why there are none."""
    named = list(closings)
    return [_day(hours, named, first + timedelta(days=number)) for number in range(days)]


def _day(hours: BusinessCalendar, closings: list[Closing], day: date) -> Day:
    slots = tuple((start // 60, end // 60) for start, end in hours.hours(day))
    seconds = business_seconds_between(
        hours, _midnight(day, hours.time_zone), _midnight(day + timedelta(days=1), hours.time_zone)
    )
    return Day(day, slots, seconds, "" if slots else _why(hours, closings, day))


def _why(hours: BusinessCalendar, closings: list[Closing], day: date) -> str:
    """The closure's or the holiday's name; empty for a weekday without hours."""
    if not hours.is_closed(day):
        return ""
    named = next((c.name for c in closings if c.span[0] <= day <= c.span[1]), "")
    return named or str(getattr(hours.holidays, "get", lambda _day, other: other)(day, ""))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
