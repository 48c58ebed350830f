"""Business time the slow way: ask each moment whether it is open, and count."""

from datetime import UTC, timedelta


def is_open(calendar, moment):
    local = moment.astimezone(calendar.time_zone)
    day = local.date()

    def within(spans):
        return any(first <= day <= last for first, last in spans)

    if not within(calendar.reopenings) and (day in calendar.holidays or within(calendar.closures)):
        return False
    minute = local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in calendar.slots.get(day.weekday(), ()))


def slow_between(calendar, start, end, step=60):
    """Open seconds of [start, end), which are whole minutes of UTC; step by step."""
    seconds, moment = 0, start.astimezone(UTC)
    while moment < end:
        seconds += step * is_open(calendar, moment)
        moment += timedelta(seconds=step)
    return seconds


def slow_add(calendar, start, seconds, step=60):
    """The first moment by which so many seconds (whole minutes) are over."""
    moment = start.astimezone(UTC)
    while seconds > 0:
        seconds -= step * is_open(calendar, moment)
        moment += timedelta(seconds=step)
    return moment
