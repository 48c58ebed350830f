"""A ticket's page as an agent reads it."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from compensation.models import Claim, LedgerEntry
from support.matching import link
from support.models import Message, Survey, Ticket
from support.processing import process_events
from support.tickets import add_note, assign, receive_message, reply, set_parent
from support.timeline import record_event
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.compensation.screens import words
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import CohortFactory, ExposureFactory
from tests.support.factories import MessageFactory, QueueFactory, agent, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return agent()


@pytest.fixture
def client(ann):
    client = Client()
    client.force_login(ann)
    return client


def url_of(ticket, name="change", *args):
    return reverse(f"admin:support_ticket_{name}", args=[ticket.pk, *args])


def page_of(client, ticket):
    return words(client.get(url_of(ticket)))


def test_first_line_says_whose_it_is_and_what_is_due(client, ann):
    ticket = opened()
    assert "New, nobody's: take it." in page_of(client, ticket)
    assign(ticket, ann, by=ann)
    due = timezone.now() + timedelta(minutes=18, seconds=30)
    Ticket.objects.update(due_at=due, first_response_due_at=due)
    assert "Open, yours. Answer due in 18 min ." in page_of(client, ticket)
    Ticket.objects.update(due_at=timezone.now() - timedelta(hours=2, seconds=3))
    assert "Answer overdue since 2 h ." in page_of(client, ticket)


def test_first_line_says_who_waits(client, ann):
    ticket = opened()
    reply(ticket, by=ann, text="Is it back?")
    Ticket.objects.update(last_message_at=timezone.now() - timedelta(days=1))
    assert "Waits for the customer since yesterday." in page_of(client, ticket)


def test_merged_ticket_leads_to_where_it_went(client):
    customer = CustomerFactory()
    old, new = opened(customer=customer), opened(customer=customer)
    response = client.post(url_of(old, "do", "merge"), {"into": new.number}, follow=True)
    assert f"{old.number} was merged into this ticket." in words(response)
    old.refresh_from_db()
    assert old.merged_into == new
    assert f"Merged: everything goes on in {new.number}." in page_of(client, old)


def test_kinds_of_words_are_told_apart_in_words(client, ann):
    ticket = opened()
    reply(ticket, by=ann, text="To all.")
    reply(ticket, by=ann, text="To you alone.", kind=Message.Kind.PRIVATE)
    add_note(ticket, by=ann, text="Among us.")
    page = page_of(client, ticket)
    assert f"{ann} answer" in page
    assert f"{ann} private answer" in page
    assert f"{ann} note, only colleagues see it" in page
    assert page.index("Nothing works since two.") < page.index("To all.") < page.index("Among us.")


def test_quoted_text_is_folded(client):
    quoting = "Still dead.\n\nOn Mon, 2 Nov 2026 at 10:00, Amends <a@b.c> wrote:\n> Is it back?"
    ticket = opened(text=quoting)
    html = client.get(url_of(ticket)).content.decode()
    before, after = html.split("Quoted text")
    assert "Still dead." in before
    assert "Is it back?" not in before
    assert "Is it back?" in after
    assert client.get(url_of(ticket)).content.decode().count("Is it back?") == 1


def test_customers_html_and_script_stay_text(client):
    ticket = opened(text='<script>alert(1)</script> see https://example.com/?a=1&b="2"')
    html = client.get(url_of(ticket)).content.decode()
    assert "<script>alert(1)</script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert 'rel="nofollow noopener noreferrer" target="_blank"' in html


def test_failed_answer_says_why_and_is_sent_again(client, ann):
    ticket = opened()
    message = reply(ticket, by=ann, text="Hello.")
    Message.objects.filter(pk=message.pk).update(
        delivery="failed", delivery_error="550 no such mailbox", attempts=5
    )
    assert "not sent 550 no such mailbox Send again" in page_of(client, ticket)
    response = client.post(url_of(ticket, "again", message.pk), follow=True)
    assert "It is sent again." in words(response)
    message.refresh_from_db()
    assert (message.delivery, message.attempts, message.delivery_error) == ("queued", 0, "")
    response = client.post(url_of(ticket, "again", message.pk), follow=True)
    assert "This answer has not failed" in words(response)


def test_score_is_explained_in_words_with_points(client):
    ticket = opened(text="This is unacceptable, I will cancel.")
    process_events()
    page = page_of(client, ticket)
    assert "sentiment and words “cancel”, “unacceptable” +10" in page


def test_changes_stand_between_the_words(client, ann):
    ticket = opened()
    assign(ticket, ann, by=ann, reason="I know them")
    receive_message(ticket, text="And my phone is dead.")
    page = page_of(client, ticket)
    taken = page.index("Taken")
    assert page.index("Nothing works since two.") < taken < page.index("And my phone is dead.")
    assert f"Taken {ann}: I know them" in page
    assert f"Status: new → open {ann}: with the assignment" in page


def test_what_the_desk_did_by_itself_is_told_in_words(client):
    ticket = opened()
    say = partial(record_event, ticket.pk, by=None)
    say("sla_breach", clock="first_response", of="x")
    say("goodwill", benefit="credit", amount_minor=2000, currency="EUR", days=0, batch="2026-031")
    say("goodwill", benefit="priority", amount_minor=0, currency="", days=14, batch="")
    say("survey", change=(None, 4), survey=1)
    say("rule", name="Fibre first", rule=1)
    say("delivery", state="bounced", message=1, reason="mailbox full")
    page = page_of(client, ticket)
    for line in (
        "Deadline missed: first answer by itself",
        "Goodwill: EUR 20.00, waits for finance in batch 2026-031",
        "Goodwill: priority support, 14 d",
        "The customer's answer to the survey: 4",
        "Rule Fibre first",
        "Answer: came back by itself: mailbox full",
    ):
        assert line in page


def full_ticket(count, author):
    """A ticket with `count` of everything that its page reads."""
    customer = CustomerFactory()
    ticket = opened(customer=customer)
    parent = opened(customer=customer)
    set_parent(ticket, parent, by=author)
    for _n in range(count):
        subscription = SubscriptionFactory(customer=customer)
        cohort = CohortFactory()
        ExposureFactory(cohort=cohort, subscription=subscription)
        AwardFactory(
            batch=BatchFactory(incident=cohort.incident), subscription=subscription,
        )  # fmt: skip
        Survey.objects.create(
            kind="csat",
            ticket=opened(customer=customer),
            customer=customer,
            score=4,
            token_hash=str(subscription.pk),
        )
        MessageFactory(ticket=ticket, html="<p>x</p>")
        reply(ticket, by=author, text="> a\nanswer")
        add_note(ticket, by=agent(), text="note")
        assign(ticket, agent(), by=author)
    return ticket


def queries_of(client, ticket):
    client.get(url_of(ticket))
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url_of(ticket)).status_code == 200
    return len(captured)


def test_page_takes_the_same_queries_for_one_and_three(client, ann):
    one, three = full_ticket(1, ann), full_ticket(3, ann)
    assert queries_of(client, one) == queries_of(client, three)


def test_very_long_ticket_shows_its_end_and_the_rest_on_demand(client):
    ticket = opened()
    rows = [
        Message(ticket=ticket, kind="public", direction="in", channel="email", text=f"word {n}.")
        for n in range(250)
    ]
    Message.objects.bulk_create(rows)
    html = client.get(url_of(ticket)).content.decode()
    assert "word 249." in html
    assert "word 220." in html
    assert "word 219." not in html
    assert "Show earlier messages (221)" in html
    first = Message.objects.get(text="word 220.").pk
    earlier = client.get(url_of(ticket, "earlier"), {"before": first}).content.decode()
    assert "word 219." in earlier
    assert "word 220." not in earlier


# --- beside it ------------------------------------------------------------------------------


def test_panel_tells_what_hit_them_and_what_they_got(client):
    customer = CustomerFactory(name="Acme GmbH")
    subscription = SubscriptionFactory(customer=customer)
    cohort = CohortFactory()
    ExposureFactory(cohort=cohort, subscription=subscription, major_seconds=6660)
    batch = BatchFactory(incident=cohort.incident, number="2026-031", state="submitted")
    AwardFactory(batch=batch, subscription=subscription)
    used = AwardFactory(
        batch=BatchFactory(number="2026-009"), subscription=subscription, amount_minor=2000,
        state="issued", issued_at=timezone.now(),
    )  # fmt: skip
    for kind, amount in (("credit", 2000), ("consumed", -2000)):
        LedgerEntry.objects.create(
            kind=kind, customer=customer, award=used, amount_minor=amount, currency="EUR",
            booked_at=timezone.now(), previous_hash=kind, hash=f"{kind} hash",
        )  # fmt: skip
    page = page_of(client, opened(customer=customer))
    assert "Acme GmbH" in page
    assert "Business , EUR 499.00 / month" in page
    assert "since 2024" in page
    assert f"{cohort.incident.number} 1 h 51 min" in page
    assert "EUR 49.90 credit waits for finance in batch 2026-031" in page
    assert "EUR 20.00 credit used" in page


def test_panel_tells_of_the_hold_out_group_and_of_claims(client):
    customer = CustomerFactory()
    subscription = SubscriptionFactory(customer=customer)
    held = AwardFactory(subscription=subscription, state="excluded", exclusion="held_out")
    given_up = BatchFactory(state="rejected")
    AwardFactory(batch=given_up, subscription=subscription, state="excluded", exclusion="held_out")
    said = Claim.objects.create(
        customer=customer, starts_at=timezone.now() - timedelta(hours=1), ends_at=timezone.now(),
        state="answered", outcome="nothing_due", key="1",
    )  # fmt: skip
    page = page_of(client, opened(customer=customer))
    assert f"{held.incident.number} : in the hold-out group." in page
    assert f"{given_up.incident.number} ," not in page
    assert f"What they claimed {said.number} nothing is due" in page
    other = page_of(client, opened(customer=CustomerFactory()))
    assert "hold-out" not in other
    assert "What they claimed" not in other


def test_panel_counts_surveys_and_other_tickets(client):
    customer = CustomerFactory()
    other = opened(customer=customer, subject="Invoice")
    ticket = opened(customer=customer)
    asked = [("csat", 5, ticket), ("csat", 4, other), ("nps", 8, None)]
    for number, (kind, score, about) in enumerate(asked):
        Survey.objects.create(
            kind=kind, ticket=about, customer=customer, score=score, token_hash=str(number)
        )
    page = page_of(client, ticket)
    assert f"{other.number} new Invoice" in page
    assert "CSAT 4.5 of 5, 2 answers NPS 8 of 10" in page


def test_panel_shows_no_ticket_of_a_foreign_queue():
    mine, theirs = QueueFactory(), QueueFactory()
    agent(theirs)
    ann, client, customer = agent(mine), Client(), CustomerFactory()
    client.force_login(ann)
    opened(customer=customer, queue=theirs, subject="Secret matter")
    assert "Secret matter" not in page_of(client, opened(customer=customer, queue=mine))


def test_unknown_customer_is_found_and_set(client):
    customer = CustomerFactory(name="Bäckerei Huber", email="huber@example.com")
    ticket = opened()
    Ticket.objects.update(customer=None, requester_address="huber@example.com")
    assert "Not a known customer" in page_of(client, ticket)
    assert "Bäckerei Huber" in words(client.get(url_of(ticket, "customers")))
    assert "Bäckerei Huber" in words(client.get(url_of(ticket, "customers"), {"q": "hub"}))
    response = client.post(url_of(ticket, "do", "customer"), {"customer": customer.pk}, follow=True)
    assert "The customer is Bäckerei Huber." in words(response)
    ticket.refresh_from_db()
    assert ticket.customer == customer


# --- doors ----------------------------------------------------------------------------------


def test_tickets_of_other_queues_are_behind_no_door():
    mine, theirs = QueueFactory(), QueueFactory()
    agent(theirs)
    client = Client()
    client.force_login(agent(mine))
    ticket = opened(queue=theirs)
    message = ticket.messages.get()
    gets = ["change", "earlier", "came", "people", "candidates", "customers"]
    posts = ["send", "preview", "draft", "upload"]
    of_message = ["html", "raw", "delivery"]
    assert {client.get(url_of(ticket, name)).status_code for name in gets} == {404}
    assert {client.post(url_of(ticket, name)).status_code for name in posts} == {404}
    assert {client.get(url_of(ticket, n, message.pk)).status_code for n in of_message} == {404}
    for name in ("undo", "again", "split"):
        assert client.post(url_of(ticket, name, message.pk)).status_code == 404
    assert client.post(url_of(ticket, "do", "assign"), {"to": "me"}).status_code == 404
    ticket.refresh_from_db()
    assert ticket.assignee is None


def test_message_of_another_ticket_is_not_there(client):
    mine, other = opened(), opened()
    assert client.get(url_of(mine, "delivery", other.messages.get().pk)).status_code == 404


@pytest.mark.parametrize(
    ("verb", "data", "said", "expected"),
    [
        ("status", {"status": "on_hold"}, "Status: on hold.", {"status": "on_hold"}),
        ("tags", {"tags": "VIP, fibre"}, "Tags: fibre, vip.", {"tags": ["fibre", "vip"]}),
        ("correct", {"subject": "No fibre", "language": "de"}, "Corrected.",
         {"subject": "No fibre", "language": "de"}),
        ("floor", {"band": "4"}, "Priority: at least urgent.", {"band_floor": 4}),
        ("floor", {"band": ""}, "The score alone decides", {"band_floor": None}),
    ],
)  # fmt: skip
def test_verb_changes_the_ticket_and_says_so(client, verb, data, said, expected):
    ticket = opened()
    assert said in words(client.post(url_of(ticket, "do", verb), data, follow=True))
    ticket.refresh_from_db()
    assert {name: getattr(ticket, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("verb", "data", "said"),
    [
        ("status", {"status": "lost"}, "“lost” is no status."),
        ("correct", {"subject": ""}, "This field cannot be blank."),
        ("floor", {"band": "9"}, "“9” is no priority."),
        ("merge", {"into": "T-99"}, "There is no ticket “T-99” that you can see."),
        ("merge", {"into": "x" * 30}, "There is no ticket"),
        ("queue", {"queue": "9999999999999999999999"}, "That does not exist any more"),
        ("assign", {"to": "12345678"}, "That does not exist any more"),
        ("tags", {"tags": "x" * 51}, "is too long"),
    ],
)
def test_verb_says_what_it_refuses(client, verb, data, said):
    ticket = opened()
    assert said in words(client.post(url_of(ticket, "do", verb), data, follow=True))


def test_people_come_with_load_and_absence(client, ann):
    bob = agent(capacity=10, away_from=timezone.now() - timedelta(hours=1))
    busy, ticket = opened(), opened()
    assign(busy, bob, by=ann)
    page = words(client.get(url_of(ticket, "people")))
    assert page.startswith(f"{ann} (me) 0 / 25 open")
    assert f"{bob} 1 / 10 open, away" in page


def test_people_are_those_of_the_queue(ann):
    mine = QueueFactory()
    carl, lead = agent(mine), agent(role=Role.SUPPORT_LEAD)
    client = Client()
    client.force_login(carl)
    page = words(client.get(url_of(opened(queue=mine), "people")))
    assert str(carl) in page
    assert str(lead) in page
    assert str(ann) not in page


def test_split_leads_to_the_new_ticket(client):
    ticket = opened()
    message = receive_message(ticket, text="And my invoice is wrong.")
    response = client.post(url_of(ticket, "split", message.pk), {"subject": "Invoice"}, follow=True)
    assert "It is a ticket of its own now" in words(response)
    assert Ticket.objects.order_by("-id")[0].subject == "Invoice"


def test_auditor_looks_and_cannot_write():
    client = Client()
    client.force_login(staff(Role.AUDITOR))
    html = client.get(url_of(opened())).content.decode()
    assert 'id="composer"' not in html
    assert "dialog-assign" not in html


# --- a call ---------------------------------------------------------------------------------


def test_call_becomes_a_ticket(client, ann):
    customer = CustomerFactory(email="huber@example.com", language="de")
    assert "Take down what they say" in words(client.get(reverse("admin:support_ticket_add")))
    found = client.get(reverse("admin:support_ticket_add_customers"), {"q": "huber"})
    assert f'value="{customer.pk}"' in found.content.decode()
    data = {
        "customer": customer.pk, "subject": "No dial tone", "text": "Dead since noon.",
        "language": "de", "queue": opened().queue_id, "is_mine": "on",
    }  # fmt: skip
    response = client.post(reverse("admin:support_ticket_add"), data, follow=True)
    assert "Taken down for the customer" in words(response)
    ticket = Ticket.objects.order_by("-id")[0]
    assert (ticket.channel, ticket.customer, ticket.assignee) == ("staff", customer, ann)
    assert (ticket.requester_address, ticket.language) == ("huber@example.com", "de")
    assert ticket.events.first().by == ann


def test_call_without_words_names_the_fields(client):
    response = client.post(reverse("admin:support_ticket_add"), {"language": "en"})
    assert words(response).count("This field is required.") == 3


def test_page_says_which_incident_it_is_about_and_lets_it_go(client, ann):
    ticket, incident = opened(), CohortFactory().incident
    link(ticket, incident, by=ann)
    page = page_of(client, ticket)
    assert f"{incident.number} {incident.title} linked by {ann}" in page
    assert f"Linked to {incident.number} {incident.title}" in page
    assert "Unlink" in page


def test_split_is_offered_only_where_something_would_stay(client):
    ticket = opened()
    reply(ticket, by=None, text="We have it.", then_status="", is_automatic=True)
    assert 'data-opens="dialog-split"' not in client.get(url_of(ticket)).content.decode()
    receive_message(ticket, text="And the invoice.", channel="email")
    assert 'data-opens="dialog-split"' in client.get(url_of(ticket)).content.decode()
