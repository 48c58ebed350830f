"""Billing periods: calendar months and years, weeks and days, counted from the billing anchor.

Unix seconds, UTC. A month that is too short ends on its last day, as Stripe's periods do.
"""

import calendar
from datetime import UTC, datetime

_SECONDS = {"day": 86_400, "week": 7 * 86_400}
_MONTHS = {"month": 1, "year": 12}


def shifted(anchor: int, interval: str, count: int) -> int:
    """The moment ``count`` intervals after (or, negative, before) the anchor."""
    if interval in _SECONDS:
        return anchor + count * _SECONDS[interval]
    start = datetime.fromtimestamp(anchor, UTC)
    months = start.year * 12 + start.month - 1 + count * _MONTHS[interval]
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def around(anchor: int, recurring: dict[str, int | str], now: int) -> tuple[int, int]:
    """Start and end of the period that holds ``now``; before the anchor there is one stub."""
    if now < anchor:
        return now, anchor
    interval, step = str(recurring["interval"]), int(recurring["interval_count"])
    shortest = shifted(0, interval, step) if interval in _SECONDS else step * 28 * 86_400
    passed = (now - anchor) // (shortest * (_MONTHS.get(interval, 1)))
    while shifted(anchor, interval, passed * step) > now:
        passed -= 1
    while shifted(anchor, interval, (passed + 1) * step) <= now:
        passed += 1
    return shifted(anchor, interval, passed * step), shifted(anchor, interval, (passed + 1) * step)
