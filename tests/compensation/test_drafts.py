"""The batch that drafts itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compensation.drafts import draft_default_batch, undrafted
from compensation.models import Batch
from incidents.lifecycle import resolve_incident
from tests.compensation.factories import BatchFactory, RuleFactory, activate
from tests.customers.factories import ComponentUseFactory
from tests.incidents.factories import ExposureFactory, IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def exposure():
    return ExposureFactory()


def in_force(**fields):
    return activate(RuleFactory(version__policy__is_default=True, **fields).version)


def test_draft_is_priced_under_the_default_policy(exposure):
    version = in_force()
    batch = draft_default_batch(exposure.incident)
    assert (batch.version, batch.state, batch.created_by) == (version, "priced", None)
    assert [award.amount_minor for award in batch.awards.all()] == [4990]


def test_nothing_is_drafted_without_a_default_policy(exposure):
    activate(RuleFactory().version)
    assert draft_default_batch(exposure.incident) is None


def test_nothing_is_drafted_where_nobody_is_owed_anything(exposure):
    in_force(uptime_to=1)
    assert draft_default_batch(exposure.incident) is None
    assert Batch.objects.count() == 0


@pytest.mark.parametrize(("state", "drafts"), [("priced", 0), ("issued", 0), ("rejected", 1)])
def test_finance_that_has_it_in_hand_is_left_alone(exposure, state, drafts):
    in_force()
    BatchFactory(incident=exposure.incident, state=state)
    draft_default_batch(exposure.incident)
    assert (
        Batch.objects.filter(state="priced", created_by_key="").count() - (state == "priced")
        == drafts
    )


def test_resolving_an_incident_drafts(settings, django_capture_on_commit_callbacks, monkeypatch):
    asked = []
    monkeypatch.setattr("compensation.receivers.draft_batch.delay", asked.append)
    outage = OutageFactory()
    ComponentUseFactory(component=outage.component)
    with django_capture_on_commit_callbacks(execute=True):
        resolve_incident(incident=outage.incident, by=None)
    assert asked == [outage.incident_id]


def test_lost_message_is_made_up_for():
    now = timezone.now()
    for hours, customers in [(1, 5), (1, 0), (9, 5)]:
        IncidentFactory(
            state="resolved",
            started_at=now - timedelta(hours=10),
            resolved_at=now - timedelta(hours=hours),
            affected_customers=customers,
        )
    assert [(i.affected_customers, i.resolved_at) for i in undrafted()] == [
        (5, now - timedelta(hours=1))
    ]
