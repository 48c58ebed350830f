"""Goodwill as finance, the customer and other systems see it."""

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from backoffice.accounts.roles import Role
from backoffice.customers.portal import open_session
from backoffice.rest.models import ApiKey, Scope
from compensation.gestures import Gesture
from compensation.goodwill import give_goodwill, propose_goodwill
from tests.accounts.factories import staff
from tests.compensation.screens import page_of, press, signed_in, words
from tests.compensation.stories import priced_batch
from tests.customers.factories import CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def asleep(monkeypatch):
    monkeypatch.setattr("compensation.approval.wake_issuing", lambda: None)
    monkeypatch.setattr("compensation.goodwill.wake_issuing", lambda: None)


def gesture(customer=None, **fields):
    return Gesture(
        customer=customer or CustomerFactory.create(name="Acme GmbH"),
        benefit="credit",
        amount_minor=4000,
        currency="EUR",
        origin="T-10482",
        reason="Sorry for the long wait.",
        key="1",
        **fields,
    )


@pytest.fixture
def asked():
    """An agent's wish for more than an incident gives already."""
    batch = priced_batch()
    award = batch.awards.get()
    return propose_goodwill(
        gesture(award.customer, incident=batch.incident, despite="Their router broke."),
        by=staff(Role.SUPPORT_AGENT, full_name="Nora Lang"),
    )


def test_approver_sees_for_whom_why_and_what_else(asked):
    client, _person = signed_in(Role.FINANCE_APPROVER)
    page = page_of(client, asked)
    customer = asked.awards.get().customer
    for said in (
        f"EUR 40.00 for {customer} , ticket T-10482",
        "Sorry for the long wait.",
        "It gives already EUR 49.90 proposed",
        "Why more Their router broke.",
        "Asked for by Nora Lang",
        "Approve 1 award, EUR 40.00?",
    ):
        assert said in page
    page = press(client, "approve", asked, digest=asked.digest)
    asked.refresh_from_db()
    assert asked.state == "approved"


def test_rejected_goodwill_has_no_next_draft(asked):
    client, _person = signed_in(Role.FINANCE_APPROVER)
    page = press(client, "reject", asked, reason="Too much.")
    assert "Rejected: the customer does not get it." in page


def test_lists_and_dashboard_show_it(asked):
    client, _person = signed_in(Role.FINANCE_APPROVER)
    for door in ("admin:compensation_batch_changelist", "admin:index"):
        page = words(client.get(reverse(door)))
        assert asked.number in page
        assert "Goodwill" in page
    only = client.get(reverse("admin:compensation_batch_changelist"), {"kind__exact": "goodwill"})
    assert words(only).count(asked.number) == 1


def test_award_page_says_who_gave_it_and_why():
    award = give_goodwill(gesture(), by=staff(Role.SUPPORT_AGENT, full_name="Nora Lang"))
    client, _person = signed_in(Role.FINANCE)
    page = words(client.get(reverse("admin:compensation_award_change", args=[award.pk])))
    assert "Goodwill, ticket T-10482: Sorry for the long wait." in page
    assert "Given by Nora Lang, ticket T-10482" in page
    assert "Given Nora Lang: Sorry for the long wait." in page
    assert "Out of order" not in page


@pytest.mark.parametrize(
    ("language", "heading"),
    [("en", "Goodwill, ticket T-10482"), ("de", "Kulanz, Ticket T-10482")],
)
def test_customer_reads_the_reason(client, language, heading):
    customer = CustomerFactory.create(language=language)
    give_goodwill(gesture(customer), by=staff(Role.SUPPORT_AGENT))
    _, link = open_session(customer, created_by="test")
    page = client.post(link, follow=True) if client.get(link).status_code == 200 else None
    page = page or client.get(reverse("portal-home"))
    text = page.content.decode()
    assert heading in text
    assert "Sorry for the long wait." in text


def test_api_shows_it(asked):
    _key, secret = ApiKey.objects.create_key(name="Shop", scopes=list(Scope.values))
    api = APIClient(headers={"Authorization": f"Api-Key {secret}"})
    batch = api.get(f"/api/v1/batches/{asked.number}/").json()
    assert {name: batch[name] for name in ("kind", "incident", "policy", "version")} == {
        "kind": "goodwill",
        "incident": None,
        "policy": None,
        "version": None,
    }
    (award,) = api.get("/api/v1/awards/", {"source": "goodwill"}).json()["results"]
    assert (award["origin"], award["reason"]) == ("T-10482", "Sorry for the long wait.")
    (listed,) = api.get("/api/v1/batches/", {"kind": "goodwill"}).json()["results"]
    assert listed["number"] == asked.number
    given = give_goodwill(
        Gesture(
            customer=asked.awards.get().customer, benefit="priority", days=30, origin="T-2",
            reason="Thank you.", key="2",
        ),
        by=staff(Role.SUPPORT_AGENT),
    )  # fmt: skip
    answer = api.get(f"/api/v1/customers/{given.customer.reference}/credits/").json()
    assert [(c["is_goodwill"], c["ticket"], c["reason"]) for c in answer["credits"]] == [
        (True, "T-2", "Thank you.")
    ]
    single = api.get(f"/api/v1/awards/{given.pk}/").json()
    assert single["explanation"] == "Goodwill, ticket T-2: Thank you."
