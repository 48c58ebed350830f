"""The period of the books: a month in the books' time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max, Min

from compensation.models import LedgerEntry

_WRITTEN = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
DECEMBER = 12


def zone() -> ZoneInfo:
    """The time zone in which a day of the books begins: BOOKS_TIME_ZONE."""
    return ZoneInfo(settings.BOOKS_TIME_ZONE)


def end_of(day: date) -> datetime:
    """The first moment after `day` in the books' time zone, in UTC."""
    after = datetime.combine(day + timedelta(days=1), time.min, zone())
    return after.astimezone(UTC)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """From 2026-10.

        Raises:
            ValueError: it is no month.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None or not 1900 <= int(found[1]) < 9999:  # noqa: PLR2004
            raise ValueError(f"“{text}” is not a month: write it like 2026-10.")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        """The month of the books that `moment` is in."""
        local = moment.astimezone(zone())
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def next(self) -> "Month":
        if self.month == DECEMBER:
            return Month(self.year + 1, 1)
        return Month(self.year, self.month + 1)

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    @property
    def start(self) -> datetime:
        """Its first moment, in UTC."""
        return end_of(self.first_day - timedelta(days=1))

    @property
    def end(self) -> datetime:
        """The first moment of the next, in UTC."""
        return end_of(self.last_day)


def months_with_entries() -> list[Month]:
    """From the newest booking's month to the oldest's, newest first; none without entries."""
    span = LedgerEntry.objects.aggregate(first=Min("booked_at"), last=Max("booked_at"))
    if span["first"] is None:
        return []
    month, last = Month.of(span["first"]), Month.of(span["last"])
    months = [month]
    while month < last:
        month = month.next
        months.append(month)
    return months[::-1]
