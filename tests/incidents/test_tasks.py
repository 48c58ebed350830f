"""What beat asks for."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from incidents.models import Exposure, Incident
from incidents.tasks import refresh_running_incidents
from tests.customers.factories import ComponentUseFactory
from tests.incidents.factories import CohortFactory, IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 14, 15, 2, tzinfo=UTC)


def test_running_incidents_are_resolved_each_minute():
    running = IncidentFactory()
    over = IncidentFactory(state="resolved", resolved_at=NOW)
    component = ComponentUseFactory().component
    for incident in (running, over):
        OutageFactory(incident=incident, component=component, ends_at=None)
    for minutes in (0, 1):
        with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
            refresh_running_incidents()
        exposure = Exposure.objects.get()
        assert exposure.incident == running
        assert exposure.major_seconds == 3600 + 60 * minutes


def test_a_condition_nobody_can_read_any_more_does_not_stop_the_others(caplog):
    broken = CohortFactory(condition="nonsense").incident
    fine = IncidentFactory(started_at=broken.started_at - timedelta(days=1))
    refresh_running_incidents()
    fine.refresh_from_db()
    assert fine.cohorts_resolved_at is not None
    assert f"{broken.pk} is not counted" in caplog.text


def test_one_that_took_long_rests():
    incident = IncidentFactory(cohorts_resolved_at=NOW, cohorts_resolving_ms=30_000)
    for seconds, due in ((299, False), (300, True)):
        with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
            refresh_running_incidents()
            resolved_at = Incident.objects.get(pk=incident.pk).cohorts_resolved_at
            assert (resolved_at != NOW) == due
