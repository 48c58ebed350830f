"""What happened to an incident: who did what, when, from where and why."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import Model
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models import Component
from backoffice.display import percent
from incidents.models import Cohort, Incident, Outage

NEWEST = 100
# What is said of a change, in this order; states speak for themselves.
FIELDS = (
    "state",
    "severity",
    "commander_id",
    "title",
    "started_at",
    "detected_at",
    "acknowledged_at",
    "mitigated_at",
    "resolved_at",
    "summary",
)


@dataclass
class Line:
    """One thing that happened; `at` is UTC. `said` is a public word."""

    at: datetime
    what: str
    who: str = ""
    why: str = ""
    said: str = ""


def timeline(incident: Incident) -> list[Line]:
    """The newest first, at most 100 lines of each kind."""
    events = {
        "incident": _events(Incident, pgh_obj_id=incident.pk),
        "outage": _events(Outage, incident_id=incident.pk),
        "cohort": _events(Cohort, incident_id=incident.pk),
    }
    people = _people(events)
    lines = [
        *_incident_lines(events["incident"], people),
        *_outage_lines(events["outage"], people),
        *_cohort_lines(events["cohort"], people),
        *(
            Line(update.published_at, update.get_state_display(), said=update.body)
            for update in incident.updates.order_by("-published_at")[:NEWEST]
        ),
    ]
    # What happened in one transaction has one time: the order above is the order it happened in.
    return sorted(lines, key=lambda line: line.at)[::-1]


def _events(model: type[Model], **which: Any) -> list[Any]:
    """Oldest first, with who and why."""
    manager: Any = model._meta.get_field("events").related_model._default_manager  # type: ignore[union-attr]
    newest = manager.filter(**which).select_related("pgh_context").order_by("-pgh_id")[:NEWEST]
    return list(reversed(newest))


def _people(events: dict[str, list[Any]]) -> dict[int, User]:
    ids = {_context(event).get("user") for each in events.values() for event in each}
    ids |= {event.commander_id for event in events["incident"]}
    return User.objects.in_bulk([pk for pk in ids if pk])


def _context(event: Any) -> dict[str, Any]:
    return event.pgh_context.metadata if event.pgh_context else {}


def _line(event: Any, what: str, people: dict[int, User]) -> Line:
    context = _context(event)
    who = str(people.get(context.get("user") or 0, ""))
    if key := context.get("api_key"):
        who = _("API key “%s”") % key
    return Line(event.pgh_created_at, what, who, context.get("reason", ""))


def _incident_lines(events: list[Any], people: dict[int, User]) -> list[Line]:
    lines = []
    if events and events[0].pgh_label == "insert":
        lines.append(_line(events[0], _declared(events[0]), people))
    for before, after in pairwise(events):
        changed = [f for f in FIELDS if getattr(before, f) != getattr(after, f)]
        if "state" in changed:  # its times only say the same again
            changed = [f for f in changed if not f.endswith("_at")]
        if changed:
            what = "; ".join(_change(field, after, people) for field in changed)
            lines.append(_line(after, what, people))
    return lines


def _declared(event: Any) -> str:
    if event.kind == Incident.Kind.MAINTENANCE:
        return _("Maintenance announced")
    return _("Declared, %(severity)s") % {"severity": event.get_severity_display()}


def _change(field: str, event: Any, people: dict[int, User]) -> str:
    if field == "state":
        return str(event.get_state_display()).capitalize()
    if field == "commander_id":
        commander = people.get(event.commander_id)
        return str(_("Commander: %s") % commander) if commander else _("Nobody commands it")
    if field == "severity":
        return str(_("Severity: %s") % event.get_severity_display())
    if field == "summary":
        return _("Summary changed")
    value = getattr(event, field)
    name = str(Incident._meta.get_field(field).verbose_name).capitalize()  # type: ignore[union-attr]
    return f"{name}: {_moment(value) if field.endswith('_at') else value}"


def _outage_lines(events: list[Any], people: dict[int, User]) -> list[Line]:
    names = Component.objects.in_bulk({event.component_id for event in events})
    latest: dict[int, Any] = {}
    lines = []
    for event in events:
        before = latest.get(event.id)
        latest[event.id] = event
        name = str(names.get(event.component_id, "–"))
        lines.append(_line(event, _outage_change(event, before, name), people))
    return lines


def _outage_change(event: Any, before: Any, name: str) -> str:
    impact = event.get_impact_display()
    if event.affected_percent is not None:
        impact += ", " + _("%s of requests") % percent(event.affected_percent)
    span = f"{_moment(event.starts_at)} → {_moment(event.ends_at) if event.ends_at else _('now')}"
    said = {"name": name, "impact": impact, "span": span, "region": event.region or _("everywhere")}
    if event.pgh_label == "delete":
        return _("Outage of %(name)s removed") % said
    if event.pgh_label == "insert":
        return _("Outage of %(name)s, %(impact)s, %(region)s: %(span)s") % said
    if before is not None and before.ends_at is None and event.ends_at is not None:
        return _("Outage of %(name)s ended: %(span)s") % said
    return _("Outage of %(name)s changed: %(impact)s, %(region)s, %(span)s") % said


def _cohort_lines(events: list[Any], people: dict[int, User]) -> list[Line]:
    words = {"insert": _("Cohort “%s” added"), "delete": _("Cohort “%s” removed")}
    return [
        _line(event, words[event.pgh_label] % event.name, people)
        for event in events
        if event.pgh_label in words
    ]


def _moment(value: datetime | None) -> str:
    if value is None:
        return "–"
    return formats.date_format(timezone.localtime(value), "Y-m-d H:i")
