"""The batch that drafts itself."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from compensation.drafts import draft_default_batch, undrafted
from compensation.models import Batch
from compensation.pricing import liability
from compensation.tasks import draft_missing_batches
from incidents.cohorts import resolve
from incidents.lifecycle import resolve_incident
from tests.compensation.factories import BatchFactory, RuleFactory, activate
from tests.compensation.screens import page_of, press, signed_in, words
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


BROKEN = 'plam = "Business"'


def test_version_that_cannot_be_priced_leaves_a_draft_that_says_why(exposure):
    version = in_force(condition=BROKEN)
    batch = draft_default_batch(exposure.incident)
    assert (batch.version, Batch.objects.get().state) == (version, "draft")
    client, _person = signed_in(Role.FINANCE)
    page = page_of(client, batch)
    assert "Its policy cannot be priced" in page
    assert "Row" in page
    assert "plam" in page
    assert "plam" in press(client, "price", batch)
    door = reverse("admin:compensation_incident_liability", args=[exposure.incident_id])
    assert "plam" in words(client.get(door))
    assert draft_default_batch(exposure.incident) is None


def test_incident_that_cannot_be_drafted_keeps_no_other_one_waiting(monkeypatch):
    in_force()
    now = timezone.now()
    over = {"state": "resolved", "resolved_at": now, "affected_customers": 1}
    waiting = [
        ExposureFactory(cohort__incident=IncidentFactory(started_at=now, **over)).incident
        for _ in range(2)
    ]
    drafted = []

    def draft(incident):
        drafted.append(incident)
        if len(drafted) == 1:
            raise ArithmeticError

    monkeypatch.setattr("compensation.tasks.draft_default_batch", draft)
    draft_missing_batches()
    assert {incident.pk for incident in drafted} == {incident.pk for incident in waiting}


@pytest.mark.parametrize(
    "terms",
    [
        {"is_voluntary": True, "holdout_percent": 0},
        {"fee_period": "outage"},
        {"fee_period": "outage", "cap_amounts": {"EUR": 4000}},
        {"fee_period": "outage", "cap_percent": 5},
    ],
)
def test_draft_and_liability_agree_whatever_the_terms(terms):
    outage = OutageFactory()
    use = ComponentUseFactory(component=outage.component)
    resolve(outage.incident)
    version = in_force(**{f"version__{name}": value for name, value in terms.items()})
    (owed,) = liability(outage.incident, version)
    batch = draft_default_batch(outage.incident)
    award = batch.awards.get()
    assert (award.subscription, award.amount_minor) == (use.subscription, owed.amount_minor)
    cap = {"cap_amounts": 4000, "cap_percent": 2495}
    assert award.amount_minor == next((cap[name] for name in cap if name in terms), 4990)
