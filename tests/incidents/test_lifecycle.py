"""Incidents, maintenances and outages: who may become what, and when."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from incidents import lifecycle
from incidents.models import Exposure, Incident, Outage
from incidents.signals import incident_resolved
from tests.accounts.factories import UserFactory, staff
from tests.customers.factories import ComponentFactory, ComponentUseFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 14, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def manager():
    return staff(Role.INCIDENT_MANAGER)


@pytest.fixture
def incident(manager):
    return lifecycle.declare_incident(
        title="Fibre outage Frankfurt",
        started_at=NOW - 60 * MINUTE,
        detected_at=NOW - 55 * MINUTE,
        by=manager,
    )


@pytest.fixture
def news():
    """What `incident_resolved` told."""
    told = []

    def listen(incident, by, **_):
        told.append((incident.pk, by))

    incident_resolved.connect(listen)
    yield told
    incident_resolved.disconnect(listen)


def add(incident, start=-60, end=None, **fields):
    return lifecycle.add_outage(
        incident=incident,
        component=fields.pop("component", None) or ComponentFactory(),
        starts_at=NOW + start * MINUTE,
        ends_at=None if end is None else NOW + end * MINUTE,
        by=None,
        **fields,
    )


def error_of(call, **fields):
    """The fields and messages of the ValidationError that `call` raises."""
    with pytest.raises(ValidationError) as caught:
        call(**fields)
    return caught.value.message_dict


def test_declaring_numbers_and_notes_who(manager):
    first = lifecycle.declare_incident(title=" Down ", by=manager)
    second = lifecycle.declare_incident(title="Down again")
    assert (first.number, second.number) == ("INC-2026-001", "INC-2026-002")
    assert (first.title, first.state, first.severity) == ("Down", "investigating", "major")
    assert (first.started_at, first.detected_at) == (NOW, NOW)
    assert first.events.get().pgh_context.metadata["user"] == manager.pk


def test_declaring_without_a_start_starts_at_the_detection():
    incident = lifecycle.declare_incident(title="Down", detected_at=NOW - MINUTE)
    assert incident.started_at == NOW - MINUTE


@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"title": ""}, "title"),
        ({"title": "Down", "severity": "huge"}, "severity"),
        ({"title": "Down", "started_at": NOW + MINUTE}, "started_at"),
        ({"title": "Down", "detected_at": NOW + MINUTE}, "detected_at"),
        ({"title": "Down", "started_at": datetime(2026, 10, 14)}, "started_at"),  # noqa: DTZ001
        ({"title": "Down", "started_at": NOW, "detected_at": NOW - MINUTE}, "detected_at"),
    ],
)
def test_declaring_refuses(fields, blamed):
    assert list(error_of(lifecycle.declare_incident, **fields)) == [blamed]
    assert not Incident.objects.exists()


def test_the_whole_way(incident, manager, news, django_capture_on_commit_callbacks):
    subscription = SubscriptionFactory()
    component = ComponentUseFactory(subscription=subscription).component
    add(incident, component=component)
    lifecycle.acknowledge_incident(incident=incident, by=manager, at=NOW - 50 * MINUTE)
    assert incident.commander == manager
    lifecycle.identify_incident(incident=incident, by=manager, reason="A digger.")
    lifecycle.mitigate_incident(incident=incident, by=manager, at=NOW - 10 * MINUTE)
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.resolve_incident(incident=incident, by=manager, at=NOW - 5 * MINUTE)
    incident.refresh_from_db()
    assert incident.state == "resolved"
    assert (incident.mitigated_at, incident.resolved_at) == (NOW - 10 * MINUTE, NOW - 5 * MINUTE)
    assert incident.outages.get().ends_at == NOW - 5 * MINUTE
    assert Exposure.objects.get().major_seconds == 55 * 60
    assert news == [(incident.pk, manager)]
    assert incident.events.filter(pgh_context__metadata__reason="A digger.").count() == 1


def test_mitigating_can_end_the_outages(incident):
    outage, short = add(incident), add(incident, end=-20)
    lifecycle.mitigate_incident(incident=incident, by=None, at=NOW - 10 * MINUTE, ends_outages=True)
    outage.refresh_from_db()
    short.refresh_from_db()
    assert (outage.ends_at, short.ends_at) == (NOW - 10 * MINUTE, NOW - 20 * MINUTE)


def test_acknowledging_twice_loses(incident, manager):
    again = Incident.objects.get(pk=incident.pk)
    lifecycle.acknowledge_incident(incident=incident, by=manager)
    with pytest.raises(MoveError):
        lifecycle.acknowledge_incident(incident=again, by=UserFactory())
    incident.refresh_from_db()
    assert incident.commander == manager


def test_resolving_twice_loses(incident):
    again = Incident.objects.get(pk=incident.pk)
    lifecycle.resolve_incident(incident=incident, by=None)
    with pytest.raises(MoveError):
        lifecycle.resolve_incident(incident=again, by=None)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lifecycle.acknowledge_incident, "acknowledged_at"),
        (lifecycle.identify_incident, "acknowledged_at"),
        (lifecycle.mitigate_incident, "mitigated_at"),
        (lifecycle.resolve_incident, "mitigated_at"),
    ],
)
def test_times_stand_in_order(incident, call, field):
    messages = error_of(call, incident=incident, by=None, at=NOW - 58 * MINUTE)
    assert list(messages) == [field]
    assert "detected only at 2026-10-14 14:05 UTC" in messages[field][0]
    incident.refresh_from_db()
    assert incident.state == "investigating"


def test_resolving_before_an_outage_ended_is_refused(incident):
    add(incident, end=-5)
    messages = error_of(
        lifecycle.resolve_incident, incident=incident, by=None, at=NOW - 10 * MINUTE
    )
    assert "went on at 2026-10-14 14:55 UTC" in messages["at"][0]
    incident.refresh_from_db()
    assert incident.state == "investigating"


def test_reopening_takes_a_reason_and_keeps_the_outages(incident):
    add(incident)
    lifecycle.resolve_incident(incident=incident, by=None)
    assert list(error_of(lifecycle.reopen_incident, incident=incident, by=None, reason=" ")) == [
        "reason"
    ]
    lifecycle.reopen_incident(incident=incident, by=None, reason="It is back.")
    incident.refresh_from_db()
    assert (incident.state, incident.resolved_at, incident.mitigated_at) == (
        "investigating",
        None,
        None,
    )
    assert incident.outages.get().ends_at == NOW


def test_changing_keeps_order_and_tells_what_cannot_change(incident):
    lifecycle.change_incident(incident=incident, by=None, title="Fibre", severity="critical")
    incident.refresh_from_db()
    assert (incident.title, incident.severity) == ("Fibre", "critical")
    blamed = error_of(lifecycle.change_incident, incident=incident, by=None, started_at=NOW)
    assert list(blamed) == ["detected_at"]
    assert list(error_of(lifecycle.change_incident, incident=incident, by=None, title="")) == [
        "title"
    ]
    assert incident.title == "Fibre"
    assert list(error_of(lifecycle.change_incident, incident=incident, by=None, state="x")) == [
        "state"
    ]


def test_only_staff_command(incident, manager):
    messages = error_of(
        lifecycle.assign_commander, incident=incident, commander=UserFactory(), by=manager
    )
    assert list(messages) == ["commander"]
    lifecycle.assign_commander(incident=incident, commander=manager, by=manager)
    incident.refresh_from_db()
    assert incident.commander == manager


def test_an_outage_before_the_incident_started_starts_it(incident):
    add(incident, start=-90)
    incident.refresh_from_db()
    assert incident.started_at == NOW - 90 * MINUTE


@pytest.mark.parametrize(
    ("start", "end", "blamed"),
    [(1, None, "starts_at"), (-5, 1, "ends_at"), (-5, -5, "ends_at"), (-5, -6, "ends_at")],
)
def test_an_outage_has_its_times_in_order_and_in_the_past(incident, start, end, blamed):
    with pytest.raises(ValidationError) as caught:
        add(incident, start=start, end=end)
    assert list(caught.value.message_dict) == [blamed]
    assert not Outage.objects.exists()


def test_an_outage_of_a_resolved_incident_has_an_end_before_it(incident):
    lifecycle.resolve_incident(incident=incident, by=None, at=NOW - 10 * MINUTE)
    for end in (None, -5):
        with pytest.raises(ValidationError) as caught:
            add(incident, start=-30, end=end)
        assert list(caught.value.message_dict) == ["ends_at"]
    assert add(incident, start=-30, end=-10).pk


def test_a_region_must_be_somebodys(incident):
    SubscriptionFactory(region="eu-central")
    with pytest.raises(ValidationError) as caught:
        add(incident, region="EU-Centrall")
    assert caught.value.message_dict["region"] == [
        "No subscription is in the region “EU-Centrall”. Did you mean “eu-central”?"
    ]
    assert add(incident, region="eu-central").region == "eu-central"


def test_an_outage_ends_once(incident):
    outage = add(incident)
    again = Outage.objects.get(pk=outage.pk)
    blamed = error_of(lifecycle.end_outage, outage=outage, by=None, at=NOW - 60 * MINUTE)
    assert list(blamed) == ["ends_at"]
    lifecycle.end_outage(outage=outage, by=None)
    with pytest.raises(MoveError):
        lifecycle.end_outage(outage=again, by=None)
    assert Outage.objects.get().ends_at == NOW


def test_an_outage_can_be_corrected_and_removed(incident, manager):
    outage = add(incident)
    lifecycle.change_outage(outage=outage, by=manager, impact="partial", ends_at=NOW - MINUTE)
    outage.refresh_from_db()
    assert (outage.impact, outage.ends_at) == ("partial", NOW - MINUTE)
    blamed = error_of(lifecycle.change_outage, outage=outage, by=None, starts_at=NOW)
    assert list(blamed) == ["ends_at"]
    lifecycle.remove_outage(outage=outage, by=manager, reason="Wrong component.")
    assert not Outage.objects.exists()


def test_a_maintenance_from_announcement_to_completion(
    manager, news, django_capture_on_commit_callbacks
):
    work = lifecycle.schedule_maintenance(
        title="New router",
        scheduled_for=NOW + 60 * MINUTE,
        scheduled_until=NOW + 120 * MINUTE,
        by=manager,
    )
    assert (work.number, work.kind, work.state) == ("INC-2026-001", "maintenance", "scheduled")
    with time_machine.travel(NOW + 61 * MINUTE, tick=False):
        lifecycle.start_maintenance(incident=work, by=manager)
        assert work.started_at == NOW + 61 * MINUTE
    with time_machine.travel(NOW + 90 * MINUTE, tick=False):
        lifecycle.verify_maintenance(incident=work, by=manager)
        with django_capture_on_commit_callbacks(execute=True):
            lifecycle.complete_maintenance(incident=work, by=manager)
    work.refresh_from_db()
    assert (work.state, work.resolved_at) == ("completed", NOW + 90 * MINUTE)
    assert news == [(work.pk, manager)]


def test_a_maintenance_ends_after_it_starts_and_after_now():
    for start, end in ((10, 10), (-20, -10)):
        blamed = error_of(
            lifecycle.schedule_maintenance,
            title="Work",
            scheduled_for=NOW + start * MINUTE,
            scheduled_until=NOW + end * MINUTE,
        )
        assert list(blamed) == ["scheduled_until"]


def test_a_maintenance_that_never_began_can_be_closed():
    work = lifecycle.schedule_maintenance(
        title="Work", scheduled_for=NOW + MINUTE, scheduled_until=NOW + 9 * MINUTE
    )
    lifecycle.complete_maintenance(incident=work, by=None)
    work.refresh_from_db()
    assert (work.state, work.started_at, work.resolved_at) == ("completed", NOW, NOW)
