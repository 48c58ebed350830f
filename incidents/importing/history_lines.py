"""Lines of JSON, one incident each, as github.com/mrshu/github-statuses keeps them.

Two traps: a maintenance's downtime is counted from its announcement, so its window is read from
its updates instead; and an incident told of only afterwards has a downtime of no length.
"""

from datetime import datetime
from itertools import pairwise
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from incidents.importing.record import (
    OUTAGE_IMPACTS,
    Moment,
    Record,
    RecordError,
    Span,
    Update,
    state_of,
)
from incidents.models import Incident

State = Incident.State


class LineUpdate(BaseModel):
    at: Moment
    status: str
    message: str = ""


class Line(BaseModel):
    id: str = Field(min_length=1, max_length=100)
    title: str = Field(min_length=1, max_length=300)
    url: str = ""
    started_at: Moment
    resolved_at: Moment | None = None
    downtime_start: Moment | None = None
    downtime_end: Moment | None = None
    impact: Literal["none", "minor", "major", "critical", "maintenance"]
    components: list[str] = []
    updates: list[LineUpdate] = []


def read_line(data: dict[str, Any], number: int) -> Record:
    """One line's incident.

    Raises:
        pydantic.ValidationError: a field is missing or wrong.
        RecordError: its times or statuses make no sense.
    """
    line = Line.model_validate(data)
    if line.resolved_at is not None and line.resolved_at < line.started_at:
        raise RecordError("resolved_at: it was resolved before it started.")
    updates = _updates(line)
    state = updates[-1].state if updates else State.RESOLVED
    starts, ends = _window(line, updates)
    is_over = state in {State.RESOLVED, State.COMPLETED}
    is_maintenance = line.impact == "maintenance"
    started_at = min(starts, line.started_at) if not is_maintenance else starts
    is_felt_later = ends is not None and ends >= line.started_at
    fields = {
        "title": line.title,
        "kind": Incident.Kind.MAINTENANCE if is_maintenance else Incident.Kind.INCIDENT,
        "severity": "none" if is_maintenance else line.impact,
        "state": state,
        "started_at": started_at,
        "detected_at": None if is_maintenance else line.started_at,
        "mitigated_at": ends if is_over and is_felt_later and not is_maintenance else None,
        "resolved_at": (line.resolved_at or ends) if is_over else None,
    }
    spans = []
    if line.impact in OUTAGE_IMPACTS and (ends is None or ends > starts):
        impact = OUTAGE_IMPACTS[line.impact]
        spans = [Span(name, impact, starts, ends) for name in dict.fromkeys(line.components)]
    source = urlsplit(line.url).hostname or "history"
    return Record(number, f"{source}:{line.id}", fields, started_at, spans, updates)


def _updates(line: Line) -> list[Update]:
    """Oldest first; a mere “Update” leaves the state as it was."""
    updates = []
    state: str = State.INVESTIGATING
    for update in sorted(line.updates, key=lambda each: each.at):
        if update.status.strip().lower() != "update":
            state = state_of(update.status)
        updates.append(Update(state, update.message, update.at))
    return updates


def _window(line: Line, updates: list[Update]) -> tuple[datetime, datetime | None]:
    """When customers felt it: from, and until before (None: it goes on)."""
    if line.impact != "maintenance":
        return line.downtime_start or line.started_at, line.downtime_end or line.resolved_at
    began = [
        later.published_at
        for earlier, later in pairwise(updates)
        if earlier.state == State.SCHEDULED and later.state == State.IN_PROGRESS
    ]
    return (began[0] if began else line.started_at), line.resolved_at
