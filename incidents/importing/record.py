"""An incident as any source tells it. All times are UTC."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, ValidationError

from incidents.models import Incident, Outage

State = Incident.State
# Statuspage's words, and what its feeds make of them (“In progress”).
STATES = {
    "investigating": State.INVESTIGATING,
    "identified": State.IDENTIFIED,
    "monitoring": State.MONITORING,
    "resolved": State.RESOLVED,
    "postmortem": State.RESOLVED,
    "scheduled": State.SCHEDULED,
    "in_progress": State.IN_PROGRESS,
    "verifying": State.VERIFYING,
    "completed": State.COMPLETED,
}
MAINTENANCE_STATES = {State.SCHEDULED, State.IN_PROGRESS, State.VERIFYING, State.COMPLETED}
# How bad an incident's impact makes the outages of its components, where nothing else tells.
OUTAGE_IMPACTS = {
    "minor": Outage.Impact.PARTIAL,
    "major": Outage.Impact.MAJOR,
    "critical": Outage.Impact.MAJOR,
    "maintenance": Outage.Impact.PARTIAL,
}

Moment = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]


class RecordError(ValueError):
    """A record that cannot be taken, with the reason a person can act on."""


@dataclass(frozen=True)
class Span:
    """`component` (with its group, as “Group - Component”) was out of order; None: it goes on."""

    component: str
    impact: str
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True)
class Update:
    """A public word."""

    state: str
    body: str
    published_at: datetime


@dataclass(frozen=True)
class Record:
    """`fields` are Incident's own; `number` is its place in the file, from 1."""

    number: int
    external_id: str
    fields: dict[str, object]
    started_at: datetime
    spans: list[Span] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)


def state_of(status: str) -> str:
    """Our state for a source's status.

    Raises:
        RecordError: nobody knows that status.
    """
    name = status.strip().lower().replace(" ", "_").replace("-", "_")
    if name not in STATES:
        raise RecordError(f"status “{status}” is unknown: use one of {', '.join(STATES)}.")
    return STATES[name]


def reason_of(error: ValidationError) -> str:
    """The first thing wrong, with the field's name."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    more = error.error_count() - 1
    also = f" (and {more} more)" if more else ""
    return f"{place}: {first['msg']}{also}."
