"""Calendars, policies and tickets of set times for the tests of deadlines."""

from datetime import UTC, datetime, timedelta

from support.models import Calendar, CalendarSlot, SlaPolicy, Ticket
from support.sla import refresh_clocks
from support.tickets import move_ticket
from tests.support.factories import opened

# A Monday; in November Berlin is one hour ahead of UTC.
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


def at(hour, minute=0, *, day=0):
    """UTC, `day` days after Monday 16 November 2026."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def calendar(name="Office", *, slots=None, **fields):
    """Monday to Friday, 9 to 17 o'clock UTC."""
    made = Calendar.objects.create(**{"name": name, "time_zone": "UTC"} | fields)
    slots = slots or [(day, 9 * 60, 17 * 60) for day in range(5)]
    CalendarSlot.objects.bulk_create(
        CalendarSlot(calendar=made, weekday=day, from_minute=start, to_minute=end)
        for day, start, end in slots
    )
    return made


def policy(name="Standard", **fields):
    """First response in an hour, next in two, solved in eight; of business time."""
    return SlaPolicy.objects.create(
        **{
            "name": name,
            "calendar": fields.pop("calendar", None) or calendar(f"Hours of {name}"),
            "first_response_minutes": 60,
            "next_response_minutes": 120,
            "resolution_minutes": 480,
        }
        | fields
    )


def opened_at(moment, clock, **fields):
    """A ticket opened by the verb at `moment`, its clocks read."""
    clock.move_to(moment)
    ticket = opened(**fields)
    return read(ticket)


def moved(ticket, status, moment, clock):
    clock.move_to(moment)
    ticket.refresh_from_db()
    move_ticket(ticket, status, by=None, reason="")
    return read(ticket)


def read(ticket):
    refresh_clocks([ticket.pk])
    return Ticket.objects.get(pk=ticket.pk)
