"""The API's doors to batches, awards and credits."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from backoffice.accounts.roles import Role
from backoffice.rest.models import ApiKey, Scope
from compensation.ledger import NewEntry, record_entries
from compensation.models import Award, Batch, LedgerEntry
from tests.accounts.factories import staff
from tests.compensation.factories import (
    AwardFactory,
    BatchFactory,
    PolicyVersionFactory,
    RuleFactory,
    activate,
)
from tests.compensation.stories import approve, priced_batch, submitted_batch
from tests.customers.factories import CustomerFactory
from tests.incidents.factories import ExposureFactory, OutageFactory

pytestmark = pytest.mark.django_db

BATCHES = "/api/v1/batches/"
AWARDS = "/api/v1/awards/"


def client_with(*scopes):
    _key, secret = ApiKey.objects.create_key(name="Shop", scopes=list(scopes))
    return APIClient(headers={"Authorization": f"Api-Key {secret}"})


@pytest.fixture
def api():
    return client_with(Scope.BATCHES_READ, Scope.BATCHES_PROPOSE)


@pytest.fixture
def world():
    """One exposed subscription, an outage that is over, and a policy in force that fits."""
    version = PolicyVersionFactory(policy__key="standard")
    RuleFactory(version=version, position=1, uptime_to="100")
    activate(version)
    exposure = ExposureFactory()
    OutageFactory(incident=exposure.incident)
    return exposure


def draft(api, world, **headers):
    body = {"incident": world.incident.number, "policy": "standard"}
    return api.post(BATCHES, body, headers=headers)


def test_batch_is_drafted_priced_and_submitted_by_a_key(api, world):
    answer = draft(api, world)
    assert answer.status_code == 201, answer.json()
    number = answer.json()["number"]
    assert (answer.json()["state"], answer.json()["created_by_key"]) == ("draft", "Shop")
    priced = api.post(f"{BATCHES}{number}/price/").json()
    assert (priced["state"], priced["awards"]) == ("priced", 1)
    assert priced["totals"] == [{"amount_minor": 4990, "currency": "EUR"}]
    submitted = api.post(f"{BATCHES}{number}/submit/").json()
    assert (submitted["state"], submitted["submitted_by"]) == ("submitted", "")
    batch = Batch.objects.get()
    assert (batch.created_by, batch.submitted_by) == (None, None)


def test_any_approver_may_approve_what_a_key_submitted(api, world):
    number = draft(api, world).json()["number"]
    api.post(f"{BATCHES}{number}/price/")
    api.post(f"{BATCHES}{number}/submit/")
    assert approve(Batch.objects.get()).state == "approved"


@pytest.mark.parametrize("action", ["approve", "reject", "pause", "resume", "cancel", "retry"])
def test_what_takes_a_person_has_no_door(api, action):
    batch = submitted_batch()
    assert api.post(f"{BATCHES}{batch.number}/{action}/").status_code == 404
    for method in (api.put, api.patch, api.delete):
        assert method(f"{BATCHES}{batch.number}/", {}).status_code in {403, 405}
    batch.refresh_from_db()
    assert batch.state == "submitted"


def test_repeating_a_request_drafts_once(api, world):
    first = draft(api, world, **{"Idempotency-Key": "a"})
    again = draft(api, world, **{"Idempotency-Key": "a"})
    assert first.json() == again.json()
    assert Batch.objects.count() == 1


def test_wrong_words_are_named(api, world):
    answer = api.post(BATCHES, {"incident": "INC-1", "policy": "gold"})
    assert answer.status_code == 400
    assert [(e["field"], e["detail"]) for e in answer.json()["errors"]] == [
        ("incident", "Object with number=INC-1 does not exist."),
        ("policy", "No policy “gold” is in force."),
    ]


def test_submitting_a_draft_is_a_conflict(api, world):
    number = draft(api, world).json()["number"]
    answer = api.post(f"{BATCHES}{number}/submit/")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "This batch is draft: only a priced one can be submitted."


def test_reading_key_may_not_propose(world):
    api = client_with(Scope.BATCHES_READ)
    assert draft(api, world).status_code == 403
    assert api.get(BATCHES).status_code == 200
    assert client_with(Scope.PORTAL).get(BATCHES).status_code == 403


def test_batches_by_incident_and_state(api):
    wanted, other = priced_batch(), submitted_batch()
    by_incident = api.get(BATCHES, {"incident": wanted.incident.number}).json()["results"]
    assert [batch["number"] for batch in by_incident] == [wanted.number]
    by_state = api.get(BATCHES, {"state": "submitted"}).json()["results"]
    assert [batch["number"] for batch in by_state] == [other.number]


def test_awards_by_batch_customer_state_and_benefit(api):
    batch = priced_batch(awards=2)
    first, second = batch.awards.order_by("id")
    trial = AwardFactory(benefit="trial", amount_minor=0, currency="", days=14)
    Award.objects.filter(pk=second.pk).update(state="excluded", exclusion="by_hand")

    def found(**query):
        return [award["id"] for award in api.get(AWARDS, query).json()["results"]]

    assert found(batch=batch.number) == [second.pk, first.pk]
    assert found(customer=first.customer.reference) == [first.pk]
    assert found(state="excluded") == [second.pk]
    assert found(benefit="trial") == [trial.pk]
    assert found(incident=batch.incident.number) == [second.pk, first.pk]
    assert found(batch="2000-001") == []


def test_single_award_comes_with_its_sum(api, world):
    number = draft(api, world).json()["number"]
    api.post(f"{BATCHES}{number}/price/")
    award = api.get(AWARDS, {"batch": number}).json()["results"][0]
    assert "explanation" not in award
    alone = api.get(f"{AWARDS}{award['id']}/").json()
    assert alone["explanation"].endswith("10 % of EUR 499.00 = EUR 49.90")
    assert alone["figures"]["amount"]["promised"] == "4990"
    assert alone["figures"]["result"]["amount_minor"] == 4990


def test_customer_reads_german_sums(api, world):
    type(world.customer).objects.filter(pk=world.customer.pk).update(language="de")
    number = draft(api, world).json()["number"]
    api.post(f"{BATCHES}{number}/price/")
    award = api.get(AWARDS, {"batch": number}).json()["results"][0]
    assert "49,90 EUR" in api.get(f"{AWARDS}{award['id']}/").json()["explanation"]


@pytest.mark.parametrize("path", [BATCHES, AWARDS])
def test_lists_cost_the_same_for_one_and_three(api, path):
    counts = []
    for _ in range(2):
        AwardFactory(batch=BatchFactory(submitted_by=staff(Role.FINANCE)))
        with CaptureQueriesContext(connection) as captured:
            api.get(path)
        counts.append(len(captured))
        AwardFactory(batch=BatchFactory(submitted_by=staff(Role.FINANCE)))
    assert counts[0] == counts[1]


def test_credits_of_a_customer():
    api = client_with(Scope.PORTAL)
    award = AwardFactory(state="issued", issued_at=timezone.now())
    record_entries([booked(award)])
    answer = api.get(f"/api/v1/customers/{award.customer.reference}/credits/").json()
    assert answer["balances"] == [{"amount_minor": 4990, "currency": "EUR"}]
    assert [(c["id"], c["state"], c["left_minor"]) for c in answer["credits"]] == [
        (award.pk, "booked", 4990)
    ]


def booked(award):
    return NewEntry(
        kind=LedgerEntry.Kind.CREDIT,
        customer_id=award.customer_id,
        award_id=award.pk,
        amount_minor=award.amount_minor,
        currency=award.currency,
        stripe_id="cbtxn_1",
        booked_at=award.issued_at,
    )


def test_credits_need_the_portal_scope_and_a_customer(api):
    customer = CustomerFactory()
    assert api.get(f"/api/v1/customers/{customer.reference}/credits/").status_code == 403
    portal = client_with(Scope.PORTAL)
    assert portal.get("/api/v1/customers/nobody/credits/").status_code == 404
    answer = portal.get(f"/api/v1/customers/{customer.reference}/credits/").json()
    assert answer == {"customer": customer.reference, "balances": [], "credits": []}
