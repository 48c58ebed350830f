"""A calendar's rows as hours to count in."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

import holidays
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from support.business_time import BusinessCalendar
from support.models import Calendar, CalendarSlot, Closure

Slot = tuple[int, int, int]
Span = tuple[date, date]


def hours_of(calendars: Iterable[Calendar]) -> dict[int, BusinessCalendar | ValidationError]:
    """The hours of each calendar by its id, or why it cannot be counted in. Two queries."""
    wanted = {calendar.pk: calendar for calendar in calendars}
    slots: dict[int, list[Slot]] = defaultdict(list)
    for slot in CalendarSlot.objects.filter(calendar__in=wanted):
        slots[slot.calendar_id].append((slot.weekday, slot.from_minute, slot.to_minute))
    spans: dict[tuple[int, bool], list[Span]] = defaultdict(list)
    for closure in Closure.objects.filter(calendar__in=wanted):
        spans[closure.calendar_id, closure.is_open].append((closure.first_day, closure.last_day))
    hours: dict[int, BusinessCalendar | ValidationError] = {}
    for pk, calendar in wanted.items():
        try:
            hours[pk] = business_calendar(calendar, slots[pk], spans[pk, False], spans[pk, True])
        except ValidationError as error:
            hours[pk] = error
    return hours


def business_calendar(
    calendar: Calendar,
    slots: Iterable[Slot],
    closures: Iterable[Span] = (),
    reopenings: Iterable[Span] = (),
) -> BusinessCalendar:
    """The hours of `calendar` with these slots (weekday, from, to), whether stored or not.

    What is equal is made once a process, with the openings it has worked out so far.

    Raises:
        ValidationError: no hours, or a holiday region that is not known.
    """
    return _business_calendar(
        calendar.time_zone,
        (calendar.country, calendar.subdivision),
        tuple(sorted(slots)),
        tuple(sorted(closures)),
        tuple(sorted(reopenings)),
    )


def public_holidays(country: str, subdivision: str = "") -> holidays.HolidayBase | None:
    """The public holidays of a country (ISO 3166) and a part of it, by date; None without one.

    Raises:
        ValidationError: the library does not know them.
    """
    if not country:
        return None
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        raise ValidationError(
            {
                "subdivision" if subdivision else "country": _(
                    "The public holidays of %(place)s are not known here: leave it empty and enter"
                    " the closed days."
                )
                % {"place": "-".join(filter(None, (country, subdivision)))}
            }
        ) from None


@lru_cache(maxsize=256)
def _business_calendar(
    time_zone: str,
    place: tuple[str, str],
    slots: tuple[Slot, ...],
    closures: tuple[Span, ...],
    reopenings: tuple[Span, ...],
) -> BusinessCalendar:
    known = public_holidays(*place)
    return BusinessCalendar(
        time_zone=ZoneInfo(time_zone),
        slots={
            weekday: tuple((start, end) for _day, start, end in group)
            for weekday, group in groupby(slots, key=lambda slot: slot[0])
        },
        holidays=frozenset() if known is None else known,
        closures=closures,
        reopenings=reopenings,
    )
