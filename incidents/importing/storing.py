"""Putting what was read into the database, in a handful of statements."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.text import slugify

from backoffice.customers.models import Component
from backoffice.numbering import next_numbers
from backoffice.states import history
from incidents.importing.reading import BadRecord, read_records
from incidents.importing.record import Record
from incidents.models import Incident, IncidentUpdate, Outage

OVER = {Incident.State.RESOLVED, Incident.State.COMPLETED}
BATCH = 1000


@dataclass
class Report:
    """How many incidents were made, brought up to date, left as they were; and the bad records."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    maintenances: int = 0
    outages: int = 0
    updates: int = 0
    components_created: list[str] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    dry_run: bool = False


def import_incidents(
    text: str, *, by: AbstractBaseUser | None = None, dry_run: bool = False
) -> Report:
    """Take in the incidents of `text`: Statuspage's JSON, or one JSON object a line.

    Components are made as they are met. What was imported before is known by its external id:
    if it is over here, it is left alone, for people may have corrected it; if it still runs, its
    fields, outages and updates are brought up to date. Cohorts are not resolved.

    Raises:
        ImportFileError: the file as a whole cannot be read. Single bad records are reported.
    """
    records, bad = read_records(text)
    report = Report(bad=sorted(bad, key=lambda each: each.number), dry_run=dry_run)
    with transaction.atomic(), history(by=by, reason="Imported"):
        incidents = _store_incidents(records, report)
        affected = [record for record in records if record.external_id in incidents]
        components = _store_components(affected, report)
        _store_outages(affected, incidents, components, report)
        _store_updates(affected, incidents, report)
        if dry_run:
            transaction.set_rollback(True)
    return report


def _store_incidents(records: list[Record], report: Report) -> dict[str, Incident]:
    """The new incidents and those that still run, by external id."""
    ids = [record.external_id for record in records]
    known = Incident.objects.in_bulk(ids, field_name="external_id")
    fresh = [record for record in records if record.external_id not in known]
    created = Incident.objects.bulk_create(_numbered(fresh), batch_size=BATCH)
    report.created = len(created)
    report.maintenances = sum(one.kind == Incident.Kind.MAINTENANCE for one in created)
    running = {key: incident for key, incident in known.items() if incident.state not in OVER}
    for record in records:
        if record.external_id in running:
            report.updated += _refresh(running[record.external_id], record.fields)
    report.unchanged = len(known) - report.updated
    return {str(one.external_id): one for one in [*created, *running.values()]}


def _numbered(records: list[Record]) -> list[Incident]:
    """Unsaved incidents, the oldest with the lowest number of its year."""
    by_year = defaultdict(list)
    for record in sorted(records, key=lambda each: each.started_at):
        by_year[record.started_at.year].append(record)
    return [
        Incident(number=number, external_id=record.external_id, **record.fields)
        for year, those in sorted(by_year.items())
        for number, record in zip(
            next_numbers(Incident, "INC-", year=year, count=len(those)), those, strict=True
        )
    ]


def _refresh(incident: Incident, fields: dict[str, Any]) -> bool:
    changed = [name for name, value in fields.items() if getattr(incident, name) != value]
    for name in changed:
        setattr(incident, name, fields[name])
    if changed:
        incident.save(update_fields=changed)
    return bool(changed)


def _store_components(records: Iterable[Record], report: Report) -> dict[str, Component]:
    """The components by their full names, made where nobody knows them yet."""
    names = sorted({span.component for record in records for span in record.spans})
    keys = {name: _key(name) for name in names}
    known = Component.objects.in_bulk(list(keys.values()), field_name="key")
    fresh = {}
    for name, key in keys.items():
        if key not in known and key not in fresh:
            group, _separator, own = name.rpartition(" - ")
            fresh[key] = Component(key=key, name=own, group=group)
    Component.objects.bulk_create(fresh.values())
    report.components_created = [str(component) for component in fresh.values()]
    return {name: known.get(key) or fresh[key] for name, key in keys.items()}


def _key(name: str) -> str:
    return slugify(name, allow_unicode=False)[:100] or f"component-{name.encode().hex()[:80]}"


def _store_outages(
    records: list[Record],
    incidents: dict[str, Incident],
    components: dict[str, Component],
    report: Report,
) -> None:
    wanted = [
        Outage(
            incident=incidents[record.external_id],
            component=components[span.component],
            impact=span.impact,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
        )
        for record in records
        for span in record.spans
    ]
    stale = {
        (o.incident_id, o.component_id, o.impact, o.starts_at, o.ends_at): o.pk
        for o in Outage.objects.filter(incident__in=incidents.values())
    }
    fresh = [
        o
        for o in wanted
        if stale.pop((o.incident_id, o.component_id, o.impact, o.starts_at, o.ends_at), None)
        is None
    ]
    Outage.objects.filter(pk__in=stale.values()).delete()
    Outage.objects.bulk_create(fresh, batch_size=BATCH)
    report.outages = len(fresh)


def _store_updates(records: list[Record], incidents: dict[str, Incident], report: Report) -> None:
    known = set(
        IncidentUpdate.objects.filter(incident__in=incidents.values()).values_list(
            "incident", "published_at", "body"
        )
    )
    fresh = [
        IncidentUpdate(
            incident=incidents[record.external_id],
            state=update.state,
            body=update.body,
            published_at=update.published_at,
        )
        for record in records
        for update in record.updates
        if (incidents[record.external_id].pk, update.published_at, update.body) not in known
    ]
    IncidentUpdate.objects.bulk_create(fresh, batch_size=BATCH)
    report.updates = len(fresh)
