"""Promises about answering, and the calendars they count in."""

from collections.abc import Iterator
from typing import Any

from support.models import Calendar, SlaPolicy
from tests.permissions.desk.tickets import LEAD, SEES_DESK
from tests.permissions.rows import Row, admin, look, pages


def rows() -> Iterator[Row]:
    for model in ("calendar", "slapolicy"):
        yield from pages("support", model, model, see=SEES_DESK, add=LEAD, change=LEAD, delete=LEAD)
    yield from look("support_calendar_parts", SEES_DESK)
    yield from admin("support_calendar_preview", LEAD)


def world(made: dict[str, Any]) -> dict[str, Any]:
    calendar = Calendar.objects.create(name="Office")
    calendar.slots.create(weekday=0, from_minute=540, to_minute=1020)
    # The one whose page is tried for deleting must not be in use.
    used = Calendar.objects.create(name="Second office")
    used.slots.create(weekday=0, from_minute=540, to_minute=1020)
    policy = SlaPolicy.objects.create(name="Standard", calendar=used, resolution_minutes=480)
    return {"calendar": calendar.pk, "slapolicy": policy.pk}
