"""Statuspage's JSON: summary, incidents, scheduled-maintenances (API version 2).

Source: https://metastatuspage.com/api. Traps seen in real exports: `affected_components` null,
`components` empty, an update whose old and new status are the same, “Group - Component” names.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from incidents.importing.record import (
    MAINTENANCE_STATES,
    OUTAGE_IMPACTS,
    Moment,
    Record,
    RecordError,
    Span,
    Update,
    state_of,
)
from incidents.models import Incident, Outage

State = Incident.State
# Degraded performance is no outage: Statuspage's own uptime does not count it either.
COMPONENT_IMPACTS = {
    "partial_outage": Outage.Impact.PARTIAL,
    "major_outage": Outage.Impact.MAJOR,
    "under_maintenance": Outage.Impact.PARTIAL,
}


class AffectedComponent(BaseModel):
    name: str = Field(min_length=1, max_length=200)
    new_status: str = ""


class IncidentUpdate(BaseModel):
    status: str
    body: str | None = ""
    created_at: Moment
    display_at: Moment | None = None
    affected_components: list[AffectedComponent] | None = None

    @property
    def at(self) -> datetime:
        return self.display_at or self.created_at


class PageComponent(BaseModel):
    id: str = ""
    name: str = Field(min_length=1, max_length=200)
    group_id: str | None = None
    group: bool | None = False


class PageIncident(BaseModel):
    id: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=300)
    status: str
    impact: str = "none"
    created_at: Moment
    started_at: Moment | None = None
    monitoring_at: Moment | None = None
    resolved_at: Moment | None = None
    scheduled_for: Moment | None = None
    scheduled_until: Moment | None = None
    incident_updates: list[IncidentUpdate] | None = None
    components: list[PageComponent] | None = None

    @property
    def updates(self) -> list[IncidentUpdate]:
        return sorted(self.incident_updates or [], key=lambda update: update.at)


def source_of(page: dict[str, Any]) -> str:
    """What external ids of this page begin with."""
    return urlsplit(str(page.get("url", ""))).hostname or str(page.get("id") or "statuspage")


def group_names(components: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The groups' names by id, from a page's components."""
    return {str(c.get("id")): str(c.get("name")) for c in components if c.get("group")}


def read_incident(
    data: dict[str, Any], number: int, *, source: str, groups: dict[str, str]
) -> Record:
    """One incident or maintenance.

    Raises:
        pydantic.ValidationError: a field is missing or wrong.
        RecordError: its times or statuses make no sense.
    """
    page = PageIncident.model_validate(data)
    state = state_of(page.status)
    is_maintenance = (
        page.impact == "maintenance" or state in MAINTENANCE_STATES or bool(page.scheduled_for)
    )
    if is_maintenance and state not in MAINTENANCE_STATES:
        state = State.COMPLETED if state == State.RESOLVED else State.IN_PROGRESS
    if page.impact not in {"none", *OUTAGE_IMPACTS}:
        raise RecordError(f"impact “{page.impact}” is unknown.")
    started_at = _started_at(page, is_maintenance=is_maintenance)
    is_over = state in {State.RESOLVED, State.COMPLETED}
    resolved_at = page.resolved_at or page.updates[-1].at if page.updates else page.resolved_at
    if is_over and resolved_at is None:
        raise RecordError("resolved_at: it is over, but nobody says since when.")
    if is_over and resolved_at is not None and resolved_at < started_at:
        raise RecordError("resolved_at: it was resolved before it started.")
    ends_at = resolved_at if is_over else None
    fields = {
        "title": page.name,
        "kind": Incident.Kind.MAINTENANCE if is_maintenance else Incident.Kind.INCIDENT,
        "severity": "none" if page.impact == "maintenance" else page.impact,
        "state": state,
        "started_at": started_at,
        "detected_at": None if is_maintenance else max(page.created_at, started_at),
        "mitigated_at": _mitigated_at(page, ends_at),
        "resolved_at": ends_at,
        "scheduled_for": page.scheduled_for,
        "scheduled_until": page.scheduled_until,
    }
    spans = [] if state == State.SCHEDULED else _spans(page, started_at, ends_at, groups)
    updates = [Update(state_of(u.status), u.body or "", u.at) for u in page.updates]
    return Record(number, f"{source}:{page.id}", fields, started_at, spans, updates)


def _started_at(page: PageIncident, *, is_maintenance: bool) -> datetime:
    if not is_maintenance:
        return page.started_at or page.created_at
    began = [update.at for update in page.updates if state_of(update.status) == State.IN_PROGRESS]
    return began[0] if began else page.scheduled_for or page.started_at or page.created_at


def _mitigated_at(page: PageIncident, ends_at: datetime | None) -> datetime | None:
    at = page.monitoring_at
    return at if at is not None and ends_at is not None and at <= ends_at else None


def _spans(
    page: PageIncident, started_at: datetime, ends_at: datetime | None, groups: dict[str, str]
) -> list[Span]:
    """What the updates tell of each component; else the incident's impact on those it names."""
    changes: dict[str, list[tuple[datetime, str]]] = {}
    for place, update in enumerate(page.updates):
        at = started_at if place == 0 else max(update.at, started_at)
        for affected in update.affected_components or []:
            changes.setdefault(affected.name, []).append((at, affected.new_status))
    if changes:
        told = [_component_spans(name, each, ends_at) for name, each in changes.items()]
        return [span for spans in told for span in spans]
    if page.impact not in OUTAGE_IMPACTS or (ends_at is not None and ends_at <= started_at):
        return []
    names = dict.fromkeys(_full_name(c, groups) for c in page.components or [] if not c.group)
    return [Span(name, OUTAGE_IMPACTS[page.impact], started_at, ends_at) for name in names]


def _component_spans(
    name: str, changes: list[tuple[datetime, str]], ends_at: datetime | None
) -> list[Span]:
    """One span for each stretch of the same impact, from a change to the next one."""
    spans: list[Span] = []
    limits = [at for at, _status in changes[1:]]
    for (starts_at, status), until in zip(changes, [*limits, ends_at], strict=True):
        impact = COMPONENT_IMPACTS.get(status)
        if impact is None or (until is not None and until <= starts_at):
            continue
        if spans and spans[-1].ends_at == starts_at and spans[-1].impact == impact:
            starts_at = spans.pop().starts_at  # noqa: PLW2901 - the same stretch goes on
        spans.append(Span(name, impact, starts_at, until))
    return spans


def _full_name(component: PageComponent, groups: dict[str, str]) -> str:
    group = groups.get(component.group_id or "")
    is_named = group is None or component.name.startswith(f"{group} - ")
    return component.name if is_named else f"{group} - {component.name}"
