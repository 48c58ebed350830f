"""What other systems read of goodwill; none of them gives any."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from backoffice.rest.models import ApiKey, Scope
from support.goodwill import give
from tests.support.factories import TicketFactory, agent
from tests.support.test_goodwill import asleep, credit, limit

pytestmark = pytest.mark.django_db
__all__ = ["asleep"]
GOODWILL = "/api/v1/goodwill/"


@pytest.fixture
def api():
    _key, secret = ApiKey.objects.create_key(name="Shop", scopes=[Scope.TICKETS_READ])
    return APIClient(headers={"Authorization": f"Api-Key {secret}"})


def test_lists_what_was_given_and_what_waits(api):
    limit()
    ticket, nora = TicketFactory.create(), agent()
    first = give(ticket, by=nora, wish=credit(2000, "1"))
    asked = give(ticket, by=nora, wish=credit(4000, "2"))
    give(TicketFactory.create(), by=nora, wish=credit(100, "3"))
    rows = api.get(GOODWILL, {"ticket": ticket.number}).json()["results"]
    shown = [(r["ticket"], r["amount_minor"], r["state"], r["batch"], r["by"]) for r in rows]
    assert shown == [
        (ticket.number, 4000, "proposed", asked.batch.number, nora.email),
        (ticket.number, 2000, "approved", None, nora.email),
    ]
    assert api.get(f"{GOODWILL}{first.pk}/").json()["reason"] == "Sorry for the wait."
    customer = api.get(GOODWILL, {"customer": ticket.customer.reference, "state": "proposed"})
    assert [row["id"] for row in customer.json()["results"]] == [asked.pk]
    assert api.get(GOODWILL, {"ticket": "x"}).json()["results"] == []


def test_no_key_gives(api):
    assert api.post(GOODWILL, {"amount_minor": 100}).status_code in {403, 405}


def test_list_costs_the_same_for_one_and_three(api):
    limit()
    nora = agent()

    def cost():
        with CaptureQueriesContext(connection) as queries:
            api.get(GOODWILL)
        return len(queries)

    give(TicketFactory.create(), by=nora, wish=credit(100, "1"))
    api.get(GOODWILL)
    one = cost()
    for n in "23":
        give(TicketFactory.create(), by=nora, wish=credit(100, n))
    assert cost() == one
