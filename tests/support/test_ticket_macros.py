"""Macros in the composer of a ticket's page."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from support.answering import answer
from support.models import Macro
from tests.compensation.screens import words
from tests.support.factories import QueueFactory, agent, opened

pytestmark = pytest.mark.django_db
FETCH = {"X-Requested-With": "fetch"}


@pytest.fixture
def ann():
    return agent()


@pytest.fixture
def client(ann):
    client = Client()
    client.force_login(ann)
    return client


def macro(**fields):
    return Macro.objects.create(**{"name": "On it", "texts": {"en": "We are on it."}} | fields)


def url_of(ticket, name, *args):
    return reverse(f"admin:support_ticket_{name}", args=[ticket.pk, *args])


def test_menu_offers_what_fits_and_says_what_it_does(client):
    macro(actions=[{"do": "add_tags", "tags": ["outage"]}])
    macro(name="Elsewhere").queues.add(QueueFactory())
    page = words(client.get(url_of(opened(), "macros")))
    assert page == "On it add the tag outage"


def test_words_come_with_kind_and_status(client):
    chosen = macro(
        actions=[{"do": "set_status", "status": "solved"}, {"do": "add_tags", "tags": ["a"]}]
    )
    told = client.get(url_of(opened(language="de"), "macro", chosen.pk)).json()
    assert told == {
        "text": "We are on it.",
        "kind": "public",
        "then_status": "solved",
        "does": ["add the tag a"],
        "warning": "This macro has no text in the ticket's language.",
    }


def test_what_may_not_be_promised_is_said(client):
    chosen = macro(texts={"en": "You get {{ credit.amount }}."})
    response = client.get(url_of(opened(), "macro", chosen.pk))
    assert response.status_code == 400
    assert "credit.amount" in response.json()["errors"][0]


def test_answer_does_what_its_macro_does(ann):
    ticket = opened()
    chosen = macro(
        actions=[{"do": "add_tags", "tags": ["a"]}, {"do": "set_status", "status": "solved"}]
    )
    answer(ticket, by=ann, text="In my own words.", then_status="on_hold", macro=chosen)
    assert (ticket.tags, ticket.status) == (["a"], "on_hold")
    assert ticket.events.get(kind="macro").data["name"] == "On it"


def test_answer_whose_macro_fails_is_not_sent(ann):
    ticket = opened()
    broken = macro(actions=[{"do": "set_queue", "queue": "gone"}])
    with pytest.raises(ValidationError, match="set_queue"):
        answer(ticket, by=ann, text="We are on it.", macro=broken)
    assert ticket.messages.count() == 1


def test_macro_that_was_switched_off_meanwhile_is_refused(client):
    ticket, off = opened(), macro(is_active=False)
    data = {"text": "We are on it.", "macro": off.pk}
    response = client.post(url_of(ticket, "send"), data, headers=FETCH)
    assert response.status_code == 400
    assert "switched off meanwhile" in response.json()["errors"][0]
    assert client.get(url_of(ticket, "macro", off.pk)).status_code == 404
