"""What was changed about a user: by whom, when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backoffice.accounts.models import Membership, User

WATCHED = ("email", "full_name", "language", "time_zone", "is_active", "is_staff", "is_superuser")


@dataclass(frozen=True)
class Change:
    """One change. `by` is empty where no signed-in person made it (the shell, an import)."""

    at: datetime
    by: str
    what: str


def changes_of(user: User) -> list[Change]:
    """The user's making, changed fields, and roles given and taken; the newest first."""
    found = sorted([*_fields(user), *_roles(user)], key=lambda change: change[0], reverse=True)
    people = User.objects.in_bulk({by for _at, by, _what in found if by})
    return [
        Change(at=at, by=str(people.get(by, "")) if by else "", what=what) for at, by, what in found
    ]


Raw = tuple[datetime, int | None, str]


def _fields(user: User) -> Iterator[Raw]:
    events = User.pgh_event_model.objects.filter(pgh_obj=user).select_related("pgh_context")  # type: ignore[attr-defined]
    before: Any = None
    for event in events.order_by("pgh_id"):
        if before is None:
            yield event.pgh_created_at, _by(event), "made"
        for field in WATCHED if before is not None else ():
            old, new = getattr(before, field), getattr(event, field)
            if old != new:
                name: Any = User._meta.get_field(field)
                yield event.pgh_created_at, _by(event), f"{name.verbose_name}: {old} → {new}"
        before = event


def _roles(user: User) -> Iterator[Raw]:
    events = Membership.pgh_event_model.objects.filter(user=user)
    for event in events.select_related("pgh_context", "group").order_by("pgh_id"):
        given = "role given" if event.pgh_label == "insert" else "role taken"
        yield event.pgh_created_at, _by(event), f"{given}: {event.group}"


def _by(event: Any) -> int | None:
    return event.pgh_context.metadata.get("user") if event.pgh_context else None
