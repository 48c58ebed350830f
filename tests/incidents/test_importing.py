"""Statuspage's JSON and lines of JSON become incidents."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from backoffice.customers.models import Component
from incidents.importing import ImportFileError, import_incidents
from incidents.models import Incident, IncidentUpdate, Outage
from tests.accounts.factories import UserFactory
from tests.customers.factories import ComponentFactory

pytestmark = pytest.mark.django_db

HISTORY = Path(settings.BASE_DIR).parent / "shared" / "data" / "github_incidents.jsonl"


def line(**changes):
    return {
        "id": "1",
        "title": "Incident with Codespaces",
        "url": "https://www.githubstatus.com/incidents/abc",
        "started_at": "2022-03-26T01:43:00Z",
        "resolved_at": "2022-03-26T03:35:00Z",
        "downtime_start": "2022-03-26T01:40:00Z",
        "downtime_end": "2022-03-26T03:30:00Z",
        "updates": [
            {"at": "2022-03-26T01:43:00Z", "status": "Investigating", "message": "Looking."},
            {"at": "2022-03-26T02:00:00Z", "status": "Update", "message": "Still looking."},
            {"at": "2022-03-26T03:35:00Z", "status": "Resolved", "message": "Over."},
        ],
        "impact": "minor",
        "components": ["Codespaces", "EU - Pages"],
        **changes,
    }


def lines(*items):
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in items)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_line_becomes_an_incident_with_outages_and_updates():
    person = UserFactory()
    report = import_incidents(lines(line()), by=person)
    incident = Incident.objects.get()
    assert (report.created, report.outages, report.updates, report.bad) == (1, 2, 3, [])
    assert incident.number == "INC-2022-001"
    assert incident.external_id == "www.githubstatus.com:1"
    assert (incident.kind, incident.state, incident.severity) == ("incident", "resolved", "minor")
    assert incident.started_at == at("2022-03-26T01:40:00")
    assert incident.detected_at == at("2022-03-26T01:43:00")
    assert incident.mitigated_at == at("2022-03-26T03:30:00")
    assert incident.resolved_at == at("2022-03-26T03:35:00")
    assert list(incident.updates.values_list("state", flat=True)) == [
        "investigating",
        "investigating",
        "resolved",
    ]
    outages = Outage.objects.values_list("component__key", "impact", "starts_at", "ends_at")
    window = (at("2022-03-26T01:40:00"), at("2022-03-26T03:30:00"))
    assert set(outages) == {
        ("codespaces", "partial", *window),
        ("eu-pages", "partial", *window),
    }
    grouped = Component.objects.get(key="eu-pages")
    assert (grouped.group, grouped.name) == ("EU", "Pages")
    assert incident.events.get().pgh_context.metadata["user"] == person.pk


def test_a_known_component_is_used():
    known = ComponentFactory(key="codespaces", name="Cloud editors")
    import_incidents(lines(line(components=["Codespaces"])))
    assert Outage.objects.get().component == known


@pytest.mark.parametrize(
    "changes",
    [
        {"impact": "none"},
        {"components": []},
        {"downtime_end": "2022-03-26T01:40:00Z"},
    ],
)
def test_without_impact_component_or_length_there_is_no_outage(changes):
    report = import_incidents(lines(line(**changes)))
    assert (report.created, report.outages, report.bad) == (1, 0, [])


def test_a_maintenance_lasts_from_its_beginning_not_its_announcement():
    updates = [
        {"at": "2022-03-25T17:35:00Z", "status": "Scheduled"},
        {"at": "2022-03-28T12:01:00Z", "status": "In progress"},
        {"at": "2022-03-28T15:02:00Z", "status": "Completed"},
    ]
    work = line(
        impact="maintenance",
        updates=updates,
        components=["Codespaces"],
        started_at="2022-03-25T17:35:00Z",
        downtime_start="2022-03-25T17:35:00Z",
        downtime_end="2022-03-28T15:02:00Z",
        resolved_at="2022-03-28T15:02:00Z",
    )
    report = import_incidents(lines(work))
    incident = Incident.objects.get()
    assert report.maintenances == 1
    assert (incident.kind, incident.state) == ("maintenance", "completed")
    outage = incident.outages.get()
    assert (outage.starts_at, outage.ends_at) == (
        at("2022-03-28T12:01:00"),
        at("2022-03-28T15:02:00"),
    )


def test_bad_lines_are_told_with_number_and_reason():
    report = import_incidents(
        lines(
            line(),
            "{",
            "",
            line(id="2", impact="huge"),
            line(id="3", resolved_at="2022-03-26T01:00:00Z"),
            line(id="4", started_at="yesterday"),
            line(id="5", updates=[{"at": "2022-03-26T01:43:00Z", "status": "Confused"}]),
            "[]",
        )
    )
    assert report.created == 1
    assert [bad.number for bad in report.bad] == [2, 4, 5, 6, 7, 8]
    reasons = [bad.reason for bad in report.bad]
    assert reasons[0].startswith("this is no JSON: ")
    assert reasons[1].startswith("impact: Input should be 'none', 'minor'")
    assert reasons[2] == "resolved_at: it was resolved before it started."
    assert reasons[3].startswith("started_at: ")
    assert reasons[4].startswith("status “Confused” is unknown: use one of investigating")
    assert reasons[5] == "this is no JSON object."


def test_importing_again_changes_nothing():
    import_incidents(lines(line()))
    Outage.objects.update(impact="major")  # a person's correction stays
    report = import_incidents(lines(line(title="Another title")))
    assert (report.created, report.updated, report.unchanged) == (0, 0, 1)
    assert (report.outages, report.updates) == (0, 0)
    assert set(Outage.objects.values_list("impact", flat=True)) == {"major"}


def test_a_dry_run_writes_nothing():
    report = import_incidents(lines(line()), dry_run=True)
    assert (report.created, report.outages) == (1, 2)
    assert not Incident.objects.exists()
    assert not Component.objects.exists()


def update(status, when, affected=None, **fields):
    return {
        "status": status,
        "body": status,
        "created_at": when,
        "display_at": when,
        "affected_components": affected,
        **fields,
    }


def change(name, new, old="operational"):
    return {"code": "x", "name": name, "old_status": old, "new_status": new}


def page(*incidents, maintenances=(), **more):
    return json.dumps(
        {
            "page": {"id": "kctbh9vrtdwd", "url": "https://status.example.com"},
            "incidents": incidents,
            "scheduled_maintenances": maintenances,
            **more,
        }
    )


def page_incident(**changes):
    return {
        "id": "p1",
        "name": "API down",
        "status": "resolved",
        "impact": "major",
        "created_at": "2026-10-14T14:05:00Z",
        "started_at": "2026-10-14T14:02:00Z",
        "monitoring_at": "2026-10-14T14:30:00.123Z",
        "resolved_at": "2026-10-14T15:00:00Z",
        "components": [],
        "incident_updates": [],
        **changes,
    }


def spans():
    return list(
        Outage.objects.order_by("starts_at").values_list(
            "component__key", "impact", "starts_at__time", "ends_at__time"
        )
    )


def clock(text):
    return datetime.fromisoformat(f"2026-10-14T{text}").time()


def test_statuspage_outages_follow_the_components_changes():
    updates = [  # newest first, as they export them
        update("resolved", "2026-10-14T15:00:00Z", [change("EU - API", "operational")]),
        update("monitoring", "2026-10-14T14:40:00Z", [change("EU - API", "degraded_performance")]),
        update("identified", "2026-10-14T14:30:00Z", [change("EU - API", "partial_outage")]),
        update("identified", "2026-10-14T14:20:00Z", None),
        update(
            "identified",
            "2026-10-14T14:15:00Z",
            [change("EU - API", "major_outage", "major_outage")],
        ),
        update("investigating", "2026-10-14T14:05:00Z", [change("EU - API", "major_outage")]),
    ]
    report = import_incidents(page(page_incident(incident_updates=updates)))
    assert report.bad == []
    assert spans() == [
        ("eu-api", "major", clock("14:02"), clock("14:30")),
        ("eu-api", "partial", clock("14:30"), clock("14:40")),
    ]
    incident = Incident.objects.get()
    assert incident.external_id == "status.example.com:p1"
    assert incident.mitigated_at == datetime(2026, 10, 14, 14, 30, 0, 123000, tzinfo=UTC)
    assert IncidentUpdate.objects.count() == 6


def test_statuspage_components_alone_take_the_incidents_impact():
    groups = [{"id": "g", "name": "EU", "group": True}]
    components = [{"id": "c", "name": "API", "group_id": "g", "group": False}]
    import_incidents(page(page_incident(components=components), components=groups))
    assert spans() == [("eu-api", "major", clock("14:02"), clock("15:00"))]


def test_a_running_statuspage_incident_is_brought_up_to_date():
    first = update("investigating", "2026-10-14T14:05:00Z", [change("API", "major_outage")])
    running = page_incident(
        status="investigating", resolved_at=None, monitoring_at=None, incident_updates=[first]
    )
    import_incidents(page(running))
    assert spans() == [("api", "major", clock("14:02"), None)]
    last = update("resolved", "2026-10-14T15:00:00Z", [change("API", "operational")])
    report = import_incidents(page(page_incident(incident_updates=[last, first])))
    assert (report.created, report.updated, report.updates) == (0, 1, 1)
    assert spans() == [("api", "major", clock("14:02"), clock("15:00"))]
    assert Incident.objects.get().state == "resolved"


def test_statuspage_maintenances():
    work = page_incident(
        id="m1",
        status="scheduled",
        impact="maintenance",
        resolved_at=None,
        scheduled_for="2026-12-01T02:00:00Z",
        scheduled_until="2026-12-01T04:00:00Z",
        components=[{"name": "API"}],
    )
    done = {**work, "id": "m2", "status": "completed", "resolved_at": "2026-12-01T03:00:00Z"}
    report = import_incidents(page(maintenances=[work, done]))
    assert (report.created, report.maintenances, report.outages) == (2, 2, 1)
    scheduled = Incident.objects.get(external_id="status.example.com:m1")
    assert (scheduled.kind, scheduled.state) == ("maintenance", "scheduled")
    assert scheduled.started_at == at("2026-12-01T02:00:00")
    assert spans() == [("api", "partial", clock("02:00"), clock("03:00"))]


def test_statuspage_records_are_judged_one_by_one():
    report = import_incidents(
        page(page_incident(), page_incident(), page_incident(id="p2", name=""), "no")
    )
    assert report.created == 1
    assert [bad.number for bad in report.bad] == [3, 4]


@pytest.mark.parametrize("text", ["", "hello", "<html>"])
def test_what_is_no_export_is_refused(text):
    with pytest.raises(ImportFileError):
        import_incidents(text)


def test_the_command_reports(tmp_path, capsys):
    file = tmp_path / "incidents.jsonl"
    file.write_text(lines(line(), "{"), encoding="utf-8")
    call_command("import_incidents", file)
    told = capsys.readouterr()
    assert "incidents: 1 created (of them 0 maintenances), 0 updated, 0 unchanged" in told.out
    assert told.err.startswith("record 2: this is no JSON")
    call_command("import_incidents", file, "--json", "--dry-run")
    assert json.loads(capsys.readouterr().out)["unchanged"] == 1
    with pytest.raises(CommandError, match="Cannot be read"):
        call_command("import_incidents", tmp_path / "missing")


@pytest.mark.skipif(not HISTORY.is_file(), reason="the history of GitHub's incidents is not there")
def test_the_whole_history_of_github(django_assert_max_num_queries):
    text = HISTORY.read_text(encoding="utf-8")
    rows = [json.loads(row) for row in text.splitlines()]
    with django_assert_max_num_queries(60):
        report = import_incidents(text)
    assert (report.created, report.bad) == (819, [])
    assert report.maintenances == sum(row["impact"] == "maintenance" for row in rows) == 18
    assert report.updates == sum(len(row["updates"]) for row in rows)
    hit = [
        row
        for row in rows
        if row["impact"] not in {"none", "maintenance"}
        and row["downtime_end"] > row["downtime_start"]
    ]
    incidents = Outage.objects.filter(incident__kind="incident")
    assert incidents.count() == sum(len(row.get("components", [])) for row in hit)
    assert len(report.components_created) == 12
    assert import_incidents(text).unchanged == 819
