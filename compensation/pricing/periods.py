"""Which period an incident counts in, and how long someone has been with us. All in UTC."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from compensation.models import PolicyVersion

MONTHS = {
    PolicyVersion.FeePeriod.MONTH: 1,
    PolicyVersion.FeePeriod.QUARTER: 3,
    PolicyVersion.FeePeriod.YEAR: 12,
    # each outage by itself, with the fee and the caps of its month
    PolicyVersion.FeePeriod.OUTAGE: 1,
}
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Period:
    """From `start` until before `end`, `months` calendar months long."""

    start: datetime
    end: datetime
    months: int

    @property
    def milliseconds(self) -> int:
        return (self.end - self.start) // MILLISECOND


LONGEST_TENURE_MONTHS = 1200


def calendar_period(at: datetime, fee_period: str) -> Period:
    """The calendar month, quarter or year of UTC that holds `at`.

    An incident counts wholly in the period in which it began, also where it runs into the next.
    """
    months = MONTHS[PolicyVersion.FeePeriod(fee_period)]
    at = at.astimezone(UTC)
    first = (at.month - 1) // months * months + 1
    start = datetime(at.year, first, 1, tzinfo=UTC)
    return Period(start=start, end=add_months(start, months), months=months)


def add_months(at: datetime, months: int) -> datetime:
    """`months` later (or earlier, if negative), on the month's last day where it is shorter."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


def tenure_cutoff(at: datetime, months: int) -> datetime:
    """Who started before this has been with us for `months` whole months at `at`.

    Counted in days of UTC: from 31 January to 28 February is one month. Nobody has been with us
    for longer than a century.
    """
    months = min(months, LONGEST_TENURE_MONTHS)
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    is_last = day.day == monthrange(day.year, day.month)[1]
    cutoff = add_months(day, -months)
    if is_last:
        cutoff = cutoff.replace(day=monthrange(cutoff.year, cutoff.month)[1])
    return cutoff + timedelta(days=1)
