"""The host product's door to claims, and the admin's."""

import pytest
import time_machine
from rest_framework.test import APIClient

from backoffice.accounts.roles import Role
from backoffice.rest.models import ApiKey, Scope
from compensation.models import Claim
from support.models import Ticket
from tests.compensation.claiming import NOW, claim, missed, outage, promise, user_of
from tests.compensation.screens import signed_in, words
from tests.customers.factories import ComponentFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db
CLAIMS = "/api/v1/claims/"


@pytest.fixture(autouse=True)
def later():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def api():
    scopes = [Scope.CLAIMS_READ, Scope.CLAIMS_PROPOSE]
    _key, secret = ApiKey.objects.create_key(name="Shop", scopes=scopes)
    return APIClient(headers={"Authorization": f"Api-Key {secret}"})


def body(whose, **more):
    return {
        "customer": whose.customer.reference,
        "starts_at": "2026-10-14T14:02:00Z",
        "ends_at": "2026-10-14T15:02:00Z",
    } | more


def test_key_claims_for_a_customer_once(api):
    promise()
    found = outage()
    subscription = missed(found, customer__language="de")
    answers = [
        api.post(CLAIMS, body(subscription), headers={"Idempotency-Key": "a"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    told = answers[0].json()
    assert told == answers[1].json()
    assert (told["state"], told["outcome"]) == ("answered", "proposed")
    assert told["benefits"] == [
        {"benefit": "credit", "amount_minor": 4990, "currency": "EUR", "days": 0}
    ]
    assert told["answer"][1] == "Nach unseren Bedingungen bekommen Sie dafür 49,90 EUR."
    assert (told["incident"], told["created_by_key"]) == (found.incident.number, "Shop")
    assert told["batch"] == Claim.objects.get().batch.number


def test_undecided_claim_names_its_ticket(api):
    promise()
    told = api.post(CLAIMS, body(user_of(ComponentFactory()))).json()
    assert (told["outcome"], told["why"]) == ("person", "no_outage")
    assert told["ticket"] == Ticket.objects.get().number


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"customer": "nobody"}, "customer"),
        ({"component": "nothing"}, "component"),
        ({"starts_at": "2030-01-01T00:00:00Z"}, "starts_at"),
        ({"ends_at": "2026-10-14T14:02:00Z"}, "ends_at"),
        ({"text": "x" * 5001}, "text"),
    ],
)
def test_wrong_field_is_named(api, more, field):
    promise()
    answer = api.post(CLAIMS, body(SubscriptionFactory(), **more))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_of_several_subscriptions_one_must_be_named(api):
    promise()
    found = outage()
    subscription = missed(found)
    SubscriptionFactory(customer=subscription.customer)
    assert api.post(CLAIMS, body(subscription)).json()["errors"][0]["field"] == "subscription"
    named = body(subscription, subscription=subscription.reference)
    assert api.post(CLAIMS, named).json()["outcome"] == "proposed"
    other = SubscriptionFactory()
    foreign = body(subscription, subscription=other.reference)
    assert api.post(CLAIMS, foreign).json()["errors"][0]["field"] == "subscription"


def test_claims_are_listed_and_narrowed(api):
    promise()
    found = outage()
    first = claim(missed(found))
    second = claim(user_of(ComponentFactory()))
    rows = api.get(CLAIMS).json()["results"]
    assert [row["number"] for row in rows] == [second.number, first.number]
    for asked, only in (
        ({"customer": first.customer.reference}, first),
        ({"incident": found.incident.number}, first),
        ({"state": "with_person"}, second),
        ({"outcome": "proposed"}, first),
    ):
        found_rows = api.get(CLAIMS, asked).json()["results"]
        assert [row["number"] for row in found_rows] == [only.number]
    assert api.get(f"{CLAIMS}{first.pk}/").json()["number"] == first.number


# --- the admin -----------------------------------------------------------------------------------


def test_page_shows_what_was_said_answered_and_decided():
    promise()
    found = outage()
    said = claim(missed(found))
    client, _person = signed_in(Role.FINANCE)
    page = words(client.get("/admin/compensation/claim/"))
    assert f"{said.number} answered by the data proposed to finance" in page
    page = words(client.get(f"/admin/compensation/claim/{said.pk}/change/"))
    assert "Nothing worked." in page
    assert "By our terms you get EUR 49.90 for it." in page
    assert f"Batch {said.batch.number}" in page
    assert "Received" in page
    page = words(client.get(f"/admin/compensation/batch/{said.batch.pk}/change/"))
    assert said.number in page
    assert "Amends itself, for claims of customers" in page
    for term in (said.number, said.customer.reference, found.incident.number, "nothing", "9" * 30):
        assert client.get("/admin/compensation/claim/", {"q": term}).status_code == 200


def test_person_settles_it_on_its_page():
    promise()
    said = claim(user_of(ComponentFactory()))
    client, person = signed_in(Role.SUPPORT_AGENT)
    page = words(client.get(f"/admin/compensation/claim/{said.pk}/change/"))
    assert "Waits for a person" in page
    door = f"/admin/compensation/claim/{said.pk}/settle/"
    assert "Say why" in words(client.post(door, {"is_accepted": "yes"}, follow=True))
    page = words(client.post(door, {"is_accepted": "no", "note": "Logs are clean."}, follow=True))
    assert f"Settled by {person}" in page
    assert "Logs are clean." in page
    auditor, _person = signed_in(Role.AUDITOR)
    assert auditor.post(door, {"note": "x"}).status_code == 403
