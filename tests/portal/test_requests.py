"""A customer's requests on the account pages: their own, in their words, and nothing internal."""

import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django.utils.html import strip_tags

from backoffice.customers.portal import open_session
from support.attachments import store_attachment
from support.models import Attachment, IncidentMatch, Message, Ticket
from support.tickets import (
    add_note,
    merge_ticket,
    receive_message,
    reply,
    set_status,
    take_back,
)
from tests.accounts.factories import UserFactory, staff
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.customers.factories import ComponentUseFactory, CustomerFactory, SubscriptionFactory
from tests.incidents.factories import CohortFactory, ExposureFactory, IncidentFactory
from tests.portal.test_account import member
from tests.support.conftest import attachments_apart
from tests.support.factories import agent, opened

__all__ = ["attachments_apart"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_undo_time(settings):
    settings.SUPPORT_UNDO_SECONDS = 0


@pytest.fixture
def ada():
    return CustomerFactory(name="Ada GmbH", email="ada@example.com")


@pytest.fixture
def page(client, ada):
    """Visits and posts as Ada's contact; gives the text that is seen."""
    client.force_login(member(ada))

    def look(path, data=None):
        response = client.get(path) if data is None else client.post(path, data, follow=True)
        body = response.content.decode().partition("<main")[2].partition("</main>")[0]
        return response.status_code, " ".join(strip_tags("<main" + body).split())

    return look


def address(ticket):
    return f"/account/requests/T-{ticket.pk}/"


def form(**fields):
    return {"text": "It is still broken.", "key": str(uuid.uuid4())} | fields


def test_list_shows_own_requests_with_news_first(page, ada):
    first, second = opened(customer=ada, subject="Fibre"), opened(customer=ada, subject="Invoice")
    opened(customer=CustomerFactory(), subject="Somebody else's")
    receive_message(first, text="Hello?")
    status, text = page("/account/requests/")
    assert status == 200
    assert re.findall(r"Fibre|Invoice|Somebody", text) == ["Fibre", "Invoice"]
    assert f"Received T-{second.pk}, last message" in text


def test_empty_list_says_how_to_begin(page):
    assert "You have not asked us anything yet." in page("/account/requests/")[1]


@pytest.mark.parametrize("count", [1, 3])
def test_list_needs_as_many_queries_for_one_request_as_for_three(
    client, ada, count, django_assert_num_queries
):
    for _ in range(count):
        opened(customer=ada)
    client.force_login(member(ada))
    with django_assert_num_queries(6):
        client.get("/account/requests/")


@pytest.mark.parametrize("count", [1, 3])
def test_request_needs_as_many_queries_for_one_message_as_for_three(
    client, ada, count, django_assert_num_queries
):
    ticket = opened(customer=ada)
    for _ in range(count - 1):
        store_attachment("a.txt", b"one", message=receive_message(ticket, text="Hello?"))
    client.force_login(member(ada))
    with django_assert_num_queries(6):
        client.get(address(ticket))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("open", "We are working on it"),
        ("waiting", "Waiting for your answer"),
        ("on_hold", "We are working on it"),
        ("solved", "Solved"),
        ("closed", "Closed"),
    ],
)
def test_state_stands_in_the_customers_words(page, ada, status, words):
    ticket = opened(customer=ada)
    set_status(ticket, status, by=None)
    assert f"{words} T-{ticket.pk}" in page(address(ticket))[1]


def test_conversation_is_without_notes_and_without_answers_that_wait(page, ada):
    ticket = opened(customer=ada, text="Nothing works since two.")
    ann = agent(ticket.queue)
    reply(ticket, by=ann, text="We are looking into it.", then_status="open")
    add_note(ticket, by=ann, text="Customer seems angry.")
    undone = reply(ticket, by=ann, text="Go away.")
    take_back(undone, by=ann)
    later = timezone.now() + timezone.timedelta(hours=1)
    reply(ticket, by=ann, text="All is well tomorrow.", send_at=later)
    receive_message(ticket, text="I am out of office.", is_automatic=True)
    _, text = page(address(ticket))
    assert "Nothing works since two." in text
    assert "We are looking into it." in text
    assert [
        words for words in ("angry", "Go away", "tomorrow", "out of office") if words in text
    ] == []


def test_answer_shows_once_its_time_has_come_though_the_mail_failed(page, ada):
    ticket = opened(customer=ada)
    message = reply(ticket, by=agent(ticket.queue), text="It works again.")
    Message.objects.filter(pk=message.pk).update(delivery="failed")
    assert "It works again." in page(address(ticket))[1]


def test_words_of_a_stranger_are_shown_as_text(client, ada):
    ticket = opened(customer=ada, text="<script>alert(1)</script>")
    client.force_login(member(ada))
    body = client.get(address(ticket)).content.decode()
    assert "&lt;script&gt;" in body
    assert "<script" not in body


def test_request_of_another_customer_is_not_found(page):
    assert page(address(opened(customer=CustomerFactory())))[0] == 404
    assert page("/account/requests/T-999999999999999999999/")[0] == 404


def test_merged_request_leads_to_where_it_went_on(page, ada):
    source, target = opened(customer=ada), opened(customer=ada, subject="The one")
    lead = agent(source.queue, target.queue)
    merge_ticket(source, into=target, by=lead)
    assert "The one" in page(address(source))[1]
    assert f"T-{source.pk}" not in page("/account/requests/")[1]


def test_answering_sends_once_however_often_the_button_is_pressed(page, ada):
    ticket = opened(customer=ada)
    set_status(ticket, "waiting", by=None)
    data = form()
    for _ in range(2):
        assert "Your message is sent." in page(address(ticket), data)[1]
    ticket.refresh_from_db()
    assert (ticket.status, ticket.messages_count) == ("open", 2)
    said = ticket.messages.last()
    assert (said.text, said.channel, said.direction) == ("It is still broken.", "web", "in")
    assert said.author_address != ""


def test_answering_reopens_what_was_solved(page, ada):
    ticket = opened(customer=ada)
    set_status(ticket, "solved", by=None)
    assert "Not solved after all?" in page(address(ticket))[1]
    page(address(ticket), form())
    ticket.refresh_from_db()
    assert (ticket.status, ticket.reopened) == ("open", 1)


def test_answering_a_closed_request_keeps_the_words_and_leads_to_a_new_one(page, ada):
    ticket = opened(customer=ada)
    set_status(ticket, "closed", by=None)
    _, text = page(address(ticket), form(text="But it is broken."))
    assert "Your message was not sent. Copy it into a new request: But it is broken." in text
    assert ticket.messages.count() == 1
    page(f"/account/requests/new/?follows={ticket.pk}", form(subject="Again"))
    follower = Ticket.objects.latest("pk")
    assert follower.messages.get(kind="internal").text == (
        f"Goes on with T-{ticket.pk}, which is closed."
    )
    assert ticket.events.latest("pk").data == {"followed_by": follower.pk}


def test_customer_solves_the_request_themselves(page, ada):
    ticket = opened(customer=ada)
    for _ in range(2):
        assert "The request is solved." in page(f"{address(ticket)}solved/", {})[1]
    ticket.refresh_from_db()
    assert ticket.status == "solved"
    assert ticket.events.filter(kind="status").count() == 1


def test_empty_answer_is_refused_with_a_remedy(page, ada):
    ticket = opened(customer=ada)
    status, text = page(address(ticket), form(text="  "))
    assert (status, ticket.messages.count()) == (422, 1)
    assert "Write something first." in text


# --- new requests --------------------------------------------------------------------------------


def test_new_request_is_opened_once_for_the_person_who_wrote(client, ada):
    user = member(ada)
    client.force_login(user)
    data = form(subject="No telephone", text="It is silent.")
    for _ in range(2):
        response = client.post("/account/requests/new/", data)
    ticket = Ticket.objects.get()
    assert response.url == address(ticket)
    assert (ticket.subject, ticket.customer, ticket.channel) == ("No telephone", ada, "web")
    assert ticket.requester_address == user.email
    assert ticket.messages.get(direction="in").text == "It is silent."


def test_visitor_by_link_writes_as_the_customer(client, ada):
    _, url = open_session(ada, created_by="shop")
    client.post("/" + url.partition("://")[2].partition("/")[2])
    client.post("/account/requests/new/", form(subject="No telephone"))
    assert Ticket.objects.get().requester_address == "ada@example.com"


def test_running_incident_that_hits_the_customer_can_be_chosen(page, ada):
    subscription = SubscriptionFactory(customer=ada)
    incident = IncidentFactory(title="Fibre outage")
    ExposureFactory(cohort=CohortFactory(incident=incident), subscription=subscription)
    other = ExposureFactory(cohort__incident__title="Somebody else's outage")
    _, text = page("/account/requests/new/")
    assert "Fibre outage, since" in text
    assert "Somebody" not in text
    page("/account/requests/new/", form(subject="Fibre?", about=f"incident-{incident.pk}"))
    ticket = Ticket.objects.get()
    assert ticket.incident == incident
    match = IncidentMatch.objects.get()
    assert (match.state, match.decided_by) == ("linked", None)
    status, _ = page(
        "/account/requests/new/", form(subject="?", about=f"incident-{other.incident_id}")
    )
    assert (status, Ticket.objects.count()) == (422, 1)


def test_component_in_use_can_be_chosen(page, ada):
    use = ComponentUseFactory(subscription__customer=ada, component__key="fibre")
    ComponentUseFactory(component__name="Not theirs")
    assert "Not theirs" not in page("/account/requests/new/")[1]
    page("/account/requests/new/", form(subject="?", about=f"component-{use.component_id}"))
    assert Ticket.objects.get().tags == ["component:fibre"]


def test_question_about_a_credit_names_it_and_its_incident(client, page, ada):
    subscription = SubscriptionFactory(customer=ada)
    award = AwardFactory(
        subscription=subscription,
        batch=BatchFactory(incident=IncidentFactory(title="Fibre outage")),
        state="issued",
        amount_minor=4990,
    )
    asking = f"/account/requests/new/?credit={award.pk}"
    assert f'<a href="{asking}">' in client.get("/account/credits/").content.decode()
    assert "EUR 49.90, Fibre outage, 14" in client.get(asking).content.decode()
    page(asking, form(subject="EUR 49.90"))
    ticket = Ticket.objects.get()
    assert (ticket.tags, ticket.incident) == (["credit"], award.incident)
    assert ticket.messages.filter(kind="internal", text__contains="about credit for Ada").exists()


def test_credit_of_another_customer_prefills_nothing(client, page):
    award = AwardFactory(state="issued", amount_minor=4990)
    path = f"/account/requests/new/?credit={award.pk}"
    assert "49.90" not in client.get(path).content.decode()


# --- files ---------------------------------------------------------------------------------------


def file(name="photo.png", content=b"\x89PNG\r\n\x1a\n0000"):
    return SimpleUploadedFile(name, content)


def test_files_come_with_a_request_and_only_its_customer_gets_them(client, page, ada):
    page("/account/requests/new/", form(subject="?", attachments=[file(), file("log.txt", b"x")]))
    names = Attachment.objects.order_by("pk").values_list("name", "content_type")
    assert list(names) == [("photo.png", "image/png"), ("log.txt", "text/plain")]
    path = f"/account/requests/files/{Attachment.objects.earliest('pk').pk}/"
    response = client.get(path)
    assert b"".join(response.streaming_content).startswith(b"\x89PNG")
    assert response["Content-Disposition"] == 'attachment; filename="photo.png"'
    assert response["Content-Type"] == "application/octet-stream"
    client.force_login(member(CustomerFactory()))
    assert client.get(path).status_code == 404
    client.force_login(UserFactory())
    assert client.get(path).status_code == 403


def test_file_of_a_note_is_not_found(client, page, ada):
    ticket = opened(customer=ada)
    note = add_note(ticket, by=agent(ticket.queue), text="See file.")
    attachment = store_attachment("secret.txt", b"secret", message=note)
    assert client.get(f"/account/requests/files/{attachment.pk}/").status_code == 404


def test_file_that_cannot_be_kept_is_named_with_the_remedy_and_nothing_is_sent(page, settings):
    settings.ATTACHMENT_MAX_BYTES = 1024 * 1024
    big = file("big.png", b"\x89PNG\r\n\x1a\n" + b"0" * 1024 * 1024)
    files = [big, file("setup.exe", b"MZ"), file("empty.txt", b""), file()]
    status, text = page("/account/requests/new/", form(subject="?", attachments=files))
    assert (status, Ticket.objects.count(), Attachment.objects.count()) == (422, 0, 0)
    assert "“big.png” is too large: at most 1 MB are possible." in text
    assert "“setup.exe” is a program: send a picture, text or document." in text
    assert "“empty.txt” is empty." in text
    assert "Please choose the other files once more." in text
    assert "It is still broken." in text


def test_too_many_files_are_refused(page):
    files = [file(f"{n}.png") for n in range(11)]
    status, text = page("/account/requests/new/", form(subject="?", attachments=files))
    assert status == 422
    assert "These are 11 files: send at most 10 at once." in text


def test_strangers_are_sent_to_sign_in_and_staff_see_no_customers_page(client, ada):
    path = address(opened(customer=ada))
    assert client.get(path).url == f"/accounts/login/code/?next={path}"
    client.force_login(staff())
    assert client.get(path).status_code == 403
