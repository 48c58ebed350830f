"""What a person types, and the tickets it finds."""

import pytest

from support import search
from support.models import Ticket
from support.search import search_tickets
from tests.customers.factories import CustomerFactory
from tests.support.factories import MessageFactory, TicketFactory

pytestmark = pytest.mark.django_db


def found(text, queryset=None):
    tickets = Ticket.objects.all() if queryset is None else queryset
    return set(search_tickets(tickets, text).ids)


@pytest.fixture
def tickets():
    english = TicketFactory(subject="Routers keep crashing", language="en")
    german = TicketFactory(subject="Rechnungen fehlen", language="de")
    russian = TicketFactory(subject="Нет интернета", language="ru")
    MessageFactory(ticket=english, text="The lights were blinking all night.", language="en")
    MessageFactory(ticket=german, text="Die Häuser sind ohne Strom.", language="de")
    MessageFactory(ticket=russian, text="Сломались роутеры.", language="ru")
    return {"en": english.pk, "de": german.pk, "ru": russian.pk}


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("router crash", {"en"}),  # in another form than it was written
        ("blink", {"en"}),
        ("Rechnung", {"de"}),
        ("Haus", {"de"}),
        ("интернет", {"ru"}),
        ("роутер", {"ru"}),
        ("rechnung or router", {"de", "en"}),
        ('"keep crashing"', {"en"}),
        ('"crashing keep"', set()),
        ("router -crashing", set()),
        ("router -rechnung", {"en"}),
        ("quagga", set()),
        ("   ", set()),
        ("the", set()),
        ("a\0b", set()),
        ("' | & ! ( :*", set()),
        ("-", set()),
    ],
)
def test_words_are_found_in_every_language(tickets, text, languages):
    assert found(text) == {tickets[language] for language in languages}


def test_a_minus_keeps_a_word_out_whatever_dictionary_reads_it():
    # The German dictionary knows “Rechnungen” and “Rechnung” as one word, the English does not.
    kept = TicketFactory(subject="Router defekt", language="de")
    TicketFactory(subject="Router und Rechnungen", language="de")
    assert found("router -rechnung") == {kept.pk}


def test_number_address_and_customer():
    acme = CustomerFactory(name="Acme Fibre GmbH", reference="C-77", email="Ada@acme.example")
    ticket = TicketFactory(customer=acme, requester_address="bob@acme.example")
    TicketFactory(subject="Something else")
    for text in (
        f"T-{ticket.pk}", f"t{ticket.pk}", str(ticket.pk), "bob@ACME.example", "ada@acme.example",
        "C-77", "acme fib", "gmbh Acme",
    ):  # fmt: skip
        assert found(text) == {ticket.pk}, text


def test_only_what_the_queryset_holds_is_found(tickets):
    MessageFactory(ticket_id=tickets["de"], text="router", language="en")
    assert found("router") == {tickets["en"], tickets["de"]}
    assert found("router", Ticket.objects.filter(language="de")) == {tickets["de"]}
    assert found("router", Ticket.objects.none()) == set()


def test_of_too_many_the_newest_are_given_and_it_is_said(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(search, "MOST_FOUND", 3)
    made = [TicketFactory(subject="Router dead").pk for _n in range(3)]
    with django_assert_num_queries(1):
        assert search_tickets(Ticket.objects.all(), "router") == search.Found(frozenset(made))
    made.append(TicketFactory(subject="Router dead").pk)
    TicketFactory(subject="Nothing")
    with django_assert_num_queries(2):
        cut = search_tickets(Ticket.objects.all(), "router", newest=2)
    assert cut == search.Found(frozenset(made[-2:]), is_cut=True)


def test_many_messages_of_few_tickets_are_cut_only_when_they_must(monkeypatch):
    monkeypatch.setattr(search, "MOST_FOUND", 3)
    ticket = TicketFactory()
    for _n in range(5):
        MessageFactory(ticket=ticket, text="router")
    cut = search_tickets(Ticket.objects.all(), "router")
    assert cut.is_cut  # not all were looked at
    assert cut.ids == {ticket.pk}


def test_of_too_many_none_of_the_other_ways_is_lost(monkeypatch):
    monkeypatch.setattr(search, "MOST_FOUND", 2)
    made = [TicketFactory(subject="Router dead").pk for _n in range(3)]
    spoken = MessageFactory(text="The router is dead.").ticket_id
    assert search_tickets(Ticket.objects.all(), "router", newest=2) == search.Found(
        frozenset([made[2], spoken]), is_cut=True
    )
