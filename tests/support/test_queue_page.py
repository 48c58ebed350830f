"""The queue page: what it lists, in which order, under which filter, at what cost."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from support import presence, queue_views, search
from support.admin.ticket_list import page
from support.models import SavedView, Ticket
from support.queue_filters import desk_of
from support.tickets import receive_message
from tests.accounts.factories import staff
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import QueueFactory, TicketFactory, agent, opened

pytestmark = pytest.mark.django_db
URL = "/admin/support/ticket/"


@pytest.fixture(autouse=True)
def _forget():
    cache.clear()
    yield
    cache.clear()


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def numbers(response):
    return [row.ticket.pk for row in response.context["page"].rows]


def test_a_line_says_all_in_words():
    customer = CustomerFactory(name="Acme GmbH")
    SubscriptionFactory(customer=customer, plan="Business")
    incident = IncidentFactory(severity="major")
    TicketFactory(
        subject="No internet since 2 pm", customer=customer, incident=incident, language="de",
        band=4, score=91, score_parts={"plan": 20, "incident": 15, "waiting": 3, "words": []},
        due_at=timezone.now() + timedelta(minutes=18, seconds=30), tags=["router"],
        unanswered_since=timezone.now() - timedelta(hours=2), last_message_at=timezone.now(),
        messages_count=3, assignee=staff(Role.SUPPORT_AGENT, full_name="Ben Ito"),
    )  # fmt: skip
    page = client_of(agent()).get(URL).content.decode()
    for words in (
        "! 18 min left", "No internet since 2 pm", "Acme GmbH", "Business", ">91</strong> urgent",
        "contract, incident major, waits 2 h", incident.number, "router", "Ben Ito", "new word",
        "3 messages", "de · e-mail", "new",
    ):  # fmt: skip
        assert words in page, words


def test_first_comes_the_higher_band_then_the_earlier_deadline_then_the_older():
    soon, later = (timezone.now() + timedelta(hours=n) for n in (1, 2))
    normal = TicketFactory(band=2, due_at=soon)
    none_due = TicketFactory(band=4)
    late_due = TicketFactory(band=4, due_at=later)
    first = TicketFactory(band=4, due_at=soon)
    younger = TicketFactory(band=4, due_at=soon)
    response = client_of(agent()).get(URL)
    assert numbers(response) == [first.pk, younger.pk, late_due.pk, none_due.pk, normal.pk]


def test_the_first_view_is_what_is_to_do_in_ones_own_queues():
    mine, everybodys, others = QueueFactory(), QueueFactory(), QueueFactory()
    others.members.add(agent())
    reader = agent(mine)
    shown = [TicketFactory(queue=mine).pk, TicketFactory(queue=everybodys, status="open").pk]
    TicketFactory(queue=others)
    TicketFactory(queue=mine, status="waiting")
    assert numbers(client_of(reader).get(URL)) == shown


def test_nobody_sees_by_any_filter_what_the_queues_hide():
    hidden = QueueFactory(slug="secret")
    hidden.members.add(agent())
    ticket = TicketFactory(queue=hidden, subject="Merger")
    client = client_of(agent())
    for query in ("", "queue=all", "queue=secret", "status=any&queue=all", "q=Merger",
                  f"q=T-{ticket.pk}", "assignee=none&queue=all"):  # fmt: skip
        assert numbers(client.get(f"{URL}?{query}")) == []


def test_desk_and_seen_by_agree():
    queues = [QueueFactory() for _n in range(3)]
    queues[0].members.add(agent())
    people = [agent(queues[1]), agent(), staff(Role.SUPPORT_LEAD), staff(Role.AUDITOR)]
    for queue in queues:
        TicketFactory(queue=queue)
    for person in people:
        assert set(desk_of(person).tickets()) == set(Ticket.objects.seen_by(person))


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("assignee=me&queue=all", {"mine"}),
        ("assignee=none", {"free", "soon", "late"}),
        ("due=missed", {"late"}),
        ("due=soon", {"late", "soon"}),
        ("due=none", {"mine", "free"}),
        ("status=waiting", {"waiting", "on_hold"}),
        ("status=solved", {"solved"}),
        ("status=any", {"mine", "free", "soon", "late", "waiting", "on_hold", "solved"}),
        ("band=4", {"late"}),
        ("channel=web", {"free"}),
        ("language=ru", {"soon"}),
        ("tag=VIP", {"late"}),
        ("customer=C-77", {"soon"}),
        ("customer=Late@Example.com", {"late"}),
        ("incident=INC-2026-099", {"late"}),
        ("queue=nowhere", set()),
        ("band=high", set()),
        ("assignee=99999999999999999999", set()),
    ],
)
def test_filter(query, fits):
    me, now = agent(), timezone.now()
    made = {
        "mine": TicketFactory(assignee=me, status="open"),
        "free": TicketFactory(channel="web"),
        "soon": TicketFactory(
            due_at=now + timedelta(minutes=29), language="ru",
            customer=CustomerFactory(reference="C-77"),
        ),
        "late": TicketFactory(
            due_at=now - timedelta(minutes=1), band=4, tags=["vip"],
            requester_address="late@example.com", incident=IncidentFactory(number="INC-2026-099"),
        ),
        "waiting": TicketFactory(status="waiting", assignee=me),
        "on_hold": TicketFactory(status="on_hold", assignee=me),
        "solved": TicketFactory(status="solved", assignee=me),
    }  # fmt: skip
    names = {ticket.pk: name for name, ticket in made.items()}
    response = client_of(me).get(f"{URL}?{query}")
    assert {names[pk] for pk in numbers(response)} == fits


def test_tabs_count_what_they_show():
    me = agent()
    TicketFactory(assignee=me, status="open")
    TicketFactory(due_at=timezone.now())
    TicketFactory(status="waiting")
    running = IncidentFactory(state="identified")
    TicketFactory(incident=running)
    response = client_of(me).get(URL)
    counts = {e["tab"].title: e["count_words"] for e in response.context["tabs"]}
    assert counts == {
        "To do": "3", "Mine": "1", "Unassigned": "2", "Breaching": "1", "Waiting": "1",
        running.number: "",  # counted a moment later
    }  # fmt: skip
    news = client_of(me).get(reverse("admin:support_ticket_news")).json()["counts"]
    assert news[f"queue=all&incident={running.number}"] == "1"
    response = client_of(me).get(URL)
    counts = {e["tab"].title: e["count_words"] for e in response.context["tabs"]}
    assert counts[running.number] == "1"
    assert response.context["lead"][0].startswith("1 ticket is late or due within half an hour")


def test_counts_stop_at_the_most(monkeypatch):
    monkeypatch.setattr(queue_views, "MOST_COUNTED", 2)
    for _n in range(4):
        TicketFactory()
    response = client_of(agent()).get(URL)
    assert response.context["tabs"][0]["count_words"] == "2+"


def test_an_empty_queue_says_so():
    page = client_of(agent()).get(URL).content.decode()
    assert page.count("No tickets wait.") == 2
    page = client_of(agent()).get(f"{URL}?q=zebra").content.decode()
    assert "Nothing was found for “zebra”." in page
    page = client_of(agent()).get(f"{URL}?tag=zebra").content.decode()
    assert "No ticket fits this filter." in page


@pytest.mark.parametrize(
    "query", ["", "q=internet", "tag=a", "status=solved", "assignee=me", "cut"]
)
def test_queries_do_not_grow_and_are_at_most_twelve(
    query, django_assert_max_num_queries, monkeypatch
):
    if query == "cut":  # more than can be sorted: one query more
        query = "q=internet"
        monkeypatch.setattr(search, "MOST_FOUND", 0)
    reader = agent(QueueFactory(), QueueFactory())
    SavedView.objects.create(owner=reader, name="VIPs", query="tag=vip")
    client, counted = client_of(reader), []
    for more in (1, 2):
        for _n in range(more):
            ticket = TicketFactory(
                tags=["a"], assignee=reader, incident=IncidentFactory(state="identified"),
                status="solved" if query == "status=solved" else "open",
            )  # fmt: skip
            SubscriptionFactory(customer=ticket.customer)
        cache.clear()
        with django_assert_max_num_queries(12) as queries:
            response = client.get(f"{URL}?{query}")
        assert len(numbers(response)) == (1 if more == 1 else 3)
        counted.append(len(queries))
    assert counted[0] == counted[1]


@pytest.mark.parametrize("status", ["", "any", "waiting", "unsolved"])
def test_tickets_of_an_incident_in_their_order(status):
    incident = IncidentFactory()
    made = [
        TicketFactory(
            incident=incident, band=band, status="waiting" if status == "waiting" else "open"
        )
        for band in (2, 4, 3)
    ]
    TicketFactory(incident=IncidentFactory(), band=4)
    first, second, third = (ticket.pk for ticket in made)
    client = client_of(agent())
    expected = [third, second, first] if status == "any" else [second, third, first]
    assert numbers(client.get(f"{URL}?incident={incident.number}&status={status}")) == expected
    assert numbers(client.get(f"{URL}?incident=INC-0&status={status}")) == []


def test_pages_turn(monkeypatch):
    monkeypatch.setattr(page, "PER_PAGE", 2)
    made = [TicketFactory().pk for _n in range(5)]
    client = client_of(agent())
    for query in ("", "channel=email&"):
        pages = [numbers(client.get(f"{URL}?{query}p={n}")) for n in (1, 2, 3)]
        assert pages == [made[:2], made[2:4], made[4:]]
    for odd in ("0", "x", "٣", "9999"):
        assert client.get(f"{URL}?p={odd}").status_code == 200


def test_a_word_is_new_until_one_has_opened_the_ticket():
    me, other = agent(), agent()
    ticket = opened()
    assert client_of(me).get(URL).context["page"].rows[0].has_news
    presence.note_presence(ticket.pk, me, presence.VIEWING)
    assert not client_of(me).get(URL).context["page"].rows[0].has_news
    assert client_of(other).get(URL).context["page"].rows[0].has_news
    receive_message(ticket, text="Hello?")
    assert client_of(me).get(URL).context["page"].rows[0].has_news


def test_take_next_opens_what_it_took():
    me, ticket = agent(), opened()
    response = client_of(me).post(reverse("admin:support_ticket_take_next"))
    assert response["Location"] == reverse("admin:support_ticket_change", args=[ticket.pk])
    ticket.refresh_from_db()
    assert ticket.assignee == me
    response = client_of(me).post(reverse("admin:support_ticket_take_next"), follow=True)
    assert "No ticket waits that you could take." in response.content.decode()
