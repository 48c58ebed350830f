"""The desk in the API."""

import base64

import pytest

from backoffice.rest.models import ApiKey, Scope
from support.models import Attachment, Message, Queue, Ticket
from support.processing import process_events
from tests.customers.factories import CustomerFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import QueueFactory, agent, opened

pytestmark = pytest.mark.django_db
URL = "/api/v1/tickets/"
OPENING = {"subject": "No internet", "text": "Since two.", "requester_address": "ada@example.com"}


@pytest.fixture
def api(client):
    _, secret = ApiKey.objects.create_key(
        name="shop", scopes=[Scope.TICKETS_READ, Scope.TICKETS_WRITE]
    )
    client.defaults["HTTP_AUTHORIZATION"] = f"Api-Key {secret}"
    return client


def send(api, url, data, method="post", **headers):
    return getattr(api, method)(url, data, content_type="application/json", **headers)


def test_ticket_is_opened_for_a_customer(api):
    customer = CustomerFactory(reference="C1", language="de", email="ada@example.com")
    answer = send(api, URL, {"subject": "Kein Netz", "text": "Seit zwei.", "customer": "C1"})
    assert answer.status_code == 201
    ticket = Ticket.objects.get()
    assert answer.json()["number"] == ticket.number
    assert (ticket.customer, ticket.language, ticket.channel) == (customer, "de", "api")


def test_same_request_opens_one_ticket(api):
    first = send(api, URL, OPENING, headers={"Idempotency-Key": "k"})
    again = send(api, URL, OPENING, headers={"Idempotency-Key": "k"})
    assert first.json()["number"] == again.json()["number"]
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"text": ""}, "text"),
        ({"subject": ""}, "subject"),
        ({"requester_address": "ada"}, "requester_address"),
        ({"requester_address": None}, "requester_address"),
        ({"customer": "nobody"}, "customer"),
        ({"queue": "no-such"}, "queue"),
        ({"tags": ["x" * 51]}, "tags.0"),
        ({"attachments": [{"name": "a", "content": "%"}]}, "attachments.0.content"),
        ({"subject": "a\0b"}, "subject"),
    ],
)
def test_bad_input_names_its_field_and_opens_nothing(api, data, field):
    answer = send(api, URL, OPENING | data)
    assert answer.status_code == 400
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not Ticket.objects.exists()


def test_files_come_with_the_words_or_not_at_all(api):
    content = base64.b64encode(b"It says error 7.").decode()
    data = OPENING | {"attachments": [{"name": "../log.txt", "content": content}]}
    assert send(api, URL, data).status_code == 201
    attachment = Attachment.objects.get()
    assert (attachment.name, attachment.content_type) == ("log.txt", "text/plain")
    bad = OPENING | {"attachments": [{"name": "virus.exe", "content": content}]}
    assert send(api, URL, bad).status_code == 400
    assert Ticket.objects.count() == 1
    answer = api.get(f"/api/v1/attachments/{attachment.pk}/")
    assert b"".join(answer.streaming_content) == b"It says error 7."
    for close in answer._resource_closers:
        close()
    assert answer["Content-Disposition"] == 'attachment; filename="log.txt"'


def test_conversation_goes_on_by_api(api):
    ticket = opened()
    url = f"{URL}{ticket.number}/"
    said = send(api, f"{url}reply/", {"text": "We are on it."})
    assert (said.status_code, said.json()["author"]) == (201, "shop")
    ticket.refresh_from_db()
    assert ticket.status == "waiting"
    send(api, f"{url}messages/", {"text": "Thanks."})
    send(api, f"{url}note/", {"text": "Nice person."})
    ticket.refresh_from_db()
    assert ticket.status == "open"
    listed = api.get(f"{url}messages/").json()["results"]
    assert [m["text"] for m in listed] == [
        "Nice person.", "Thanks.", "We are on it.", "Nothing works since two.",
    ]  # fmt: skip
    assert Message.objects.get(text="Nice person.").kind == "internal"


def test_change_is_all_or_nothing(api):
    ticket, queue = opened(), QueueFactory(slug="billing")
    agent(queue)
    other = agent(QueueFactory())
    url = f"{URL}{ticket.number}/"
    data = {"queue": "billing", "add_tags": ["vip"], "assignee": other.email}
    refused = send(api, url, data, method="patch")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "assignee")
    ticket.refresh_from_db()
    assert (ticket.queue.slug, ticket.tags) == ("general", [])
    done = send(api, url, {"queue": "billing", "add_tags": ["vip"], "band_floor": 4}, "patch")
    assert (done.json()["queue"], done.json()["tags"]) == ("billing", ["vip"])
    process_events()
    ticket.refresh_from_db()
    assert (ticket.queue, ticket.band) == (queue, 4)
    assert "API key shop" in ticket.events.filter(kind="tags").get().reason


def test_closed_ticket_is_a_conflict(api):
    ticket = opened()
    url = f"{URL}{ticket.number}/"
    send(api, url, {"status": "closed"}, method="patch")
    assert send(api, f"{url}messages/", {"text": "Hello?"}).status_code == 409
    assert send(api, url, {"status": "open"}, method="patch").status_code == 409


def test_merge_refuses_another_customers_ticket(api):
    first, second = opened(), opened(customer=CustomerFactory())
    answer = send(api, f"{URL}{first.number}/merge/", {"into": second.number})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "into")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=new&status=open", 1), ("status=solved", 0), ("queue=general", 1),
        ("queue=nowhere", 0), ("customer=C9", 1), ("customer=none", 0), ("tag=VIP", 1),
        ("assignee=none", 1), ("assignee=ann@example.com", 0), ("incident=INC-1", 0),
        ("created_before=2020-01-01T00:00:00Z", 0), ("language=en", 1), ("band=4", 0),
    ],
)  # fmt: skip
def test_list_is_narrowed(api, query, count):
    opened(customer=CustomerFactory(reference="C9"), tags=["vip"])
    assert len(api.get(f"{URL}?{query}").json()["results"]) == count


def test_list_costs_the_same_for_one_and_three(api, django_assert_num_queries):
    incident = IncidentFactory()
    for count in (1, 3):
        while Ticket.objects.count() < count:
            opened(customer=CustomerFactory())
            Ticket.objects.update(incident=incident, queue=Queue.objects.get())
        with django_assert_num_queries(2):
            assert len(api.get(URL).json()["results"]) == count


def test_incident_is_linked_and_unlinked(api):
    ticket, incident = opened(), IncidentFactory(number="INC-2026-007")
    url = f"{URL}{ticket.number}/incident/"
    assert send(api, url, {"incident": "INC-2026-007"}).json()["incident"] == "INC-2026-007"
    assert send(api, url, {"incident": None}).json()["incident"] is None
    match = ticket.matches.get(incident=incident)
    assert match.state == "rejected"
    assert send(api, url, {"incident": "INC-1"}).status_code == 400


def test_actions_are_those_of_rules(api):
    ticket = opened()
    url = f"{URL}{ticket.number}/actions/"
    done = send(api, url, {"actions": [{"do": "add_tags", "tags": ["vip"]}]})
    assert done.json()["tags"] == ["vip"]
    refused = send(api, url, {"actions": [{"do": "add_tags", "tags": ["b"]}, {"do": "fly"}]})
    assert refused.status_code == 400
    assert "Action 2 (fly)" in refused.json()["detail"]
    ticket.refresh_from_db()
    assert ticket.tags == ["vip"]


def test_report_is_the_page_in_figures(api):
    opened()
    report = api.get("/api/v1/reports/desk/").json()
    assert report["total"]["tickets"] == 1
    assert report["by_channel"] == [{"label": "e-mail", "count": 1}]
    refused = api.get("/api/v1/reports/desk/?first=2026-10-02&last=2026-10-01")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "last")


@pytest.mark.parametrize("number", ["T-0", "T-999999999999999999", "T-1", "10001"])
def test_no_such_ticket_is_not_found(api, number):
    assert api.get(f"{URL}{number}/").status_code == 404
