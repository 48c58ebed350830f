"""The public form: people get through, machines work, and nobody learns who is a customer."""

import re
import uuid

import altcha
import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from backoffice.channels.email.tokens import reply_address
from support import contact
from support.models import Message, Ticket, UnconfirmedRequest
from support.processing import process_events
from support.proof_of_work import is_solved, new_challenge
from support.tickets import receive_message
from tests.accounts.conftest import fresh_limits
from tests.accounts.factories import UserFactory
from tests.compensation.screens import words
from tests.customers.factories import CustomerFactory
from tests.portal.test_account import member
from tests.support.factories import agent

__all__ = ["fresh_limits"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_limits")]
SENT = "Thank you Your message is with us. You get a mail that confirms it, and our answer after"


@pytest.fixture(autouse=True)
def _easy_work(settings):
    settings.CONTACT_WORK_ROUNDS = 1


def solved(challenge=None):
    asked = altcha.Challenge.from_dict(challenge or new_challenge())
    return altcha.Payload(asked, altcha.solve_challenge(asked)).to_base64()


def seen(response):
    body = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(strip_tags("<main" + body).split())


@pytest.fixture
def send(client, django_capture_on_commit_callbacks):
    """Fills the form in as a person does: opened, some seconds pass, the work is done."""

    def post(*, seconds=10, **fields):
        page = client.get("/contact/").content.decode()
        since = re.search(r'name="since" value="([^"]+)"', page).group(1)
        data = {
            "address": "Ada@Example.com",
            "subject": "No internet",
            "text": "It is silent.",
            "language": "en",
            "key": str(uuid.uuid4()),
            "since": since,
            "work": solved(),
        }
        moment = timezone.now() + timezone.timedelta(seconds=seconds)
        with time_machine.travel(moment), django_capture_on_commit_callbacks(execute=True):
            return client.post("/contact/", data | fields, follow=True)

    return post


@pytest.fixture(autouse=True)
def _workers_are_near(monkeypatch):
    monkeypatch.setattr("support.receivers.send_confirmations.delay", contact.send_confirmations)


def test_person_with_the_work_done_gets_a_ticket_and_a_mail(send):
    assert SENT in seen(send(name="Ada"))
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.channel, ticket.customer) == ("No internet", "web", None)
    assert (ticket.requester_address, ticket.requester_name) == ("ada@example.com", "Ada")
    acknowledged = ticket.messages.get(direction="out")
    assert acknowledged.is_automatic
    assert acknowledged.to == ["ada@example.com"]


def test_form_sent_twice_opens_one_ticket(send):
    key = str(uuid.uuid4())
    files = [SimpleUploadedFile("a.txt", b"one")]
    for _ in range(2):
        send(key=key, attachments=files)
        files[0].seek(0)
    assert Ticket.objects.count() == 1
    assert Message.objects.get(direction="in").attachments.count() == 1


def test_page_and_mail_are_the_same_for_a_customers_address(send):
    CustomerFactory(email="ada@example.com")
    assert seen(send(key=str(uuid.uuid4()))) == seen(send(address="eve@example.org"))
    of_customer, of_stranger = Message.objects.filter(direction="out").order_by("id")
    words = [re.sub(r"T-\d+", "T-0", message.text) for message in (of_customer, of_stranger)]
    assert words[0] == words[1]


# --- what makes no ticket at once ----------------------------------------------------------------


@pytest.mark.parametrize(
    "signs",
    [
        {"work": ""},
        {"work": "bm90IGpzb24="},
        {"homepage": "https://example.org"},
        {"seconds": 1},
        {"since": "forged"},
        {"seconds": 25 * 3600},
    ],
    ids=["no work", "broken work", "trap", "too fast", "forged time", "too old"],
)
def test_what_may_be_a_machines_is_confirmed_by_mail_and_not_lost(client, send, signs):
    assert seen(send(**signs)).startswith("One more step We have sent you a mail.")
    assert Ticket.objects.count() == 0
    [link_mail] = mail.outbox
    assert (link_mail.to, link_mail.subject) == (
        ["ada@example.com"],
        "Please confirm your message to Amends",
    )
    assert "silent" not in link_mail.body
    path = re.search(r"http://127.0.0.1:8000(/contact/confirm/\S+)", link_mail.body).group(1)
    assert client.get(path).status_code == 200
    assert Ticket.objects.count() == 0
    for _ in range(2):
        answer = seen(client.post(path))
    ticket = Ticket.objects.get()
    assert f"Its number is {ticket.number}." in answer
    assert ticket.messages.first().text == "It is silent."


def test_confirmed_address_is_proven(client, send):
    customer = CustomerFactory(email="ada@example.com")
    send(work="")
    contact.confirm(_token())
    assert Ticket.objects.get().customer == customer


def test_link_works_for_three_days(client, send):
    send(work="")
    path = f"/contact/confirm/{_token()}/"
    with time_machine.travel(timezone.now() + timezone.timedelta(days=3, minutes=1)):
        assert client.post(path).status_code == 410
        assert contact.forget_unconfirmed() == 1
    assert client.get("/contact/confirm/never-was/").status_code == 410


def test_secret_of_the_link_is_not_stored(send):
    send(work="")
    row = UnconfirmedRequest.objects.values().get()
    assert _token() not in str(row)


def test_mail_that_could_not_go_out_goes_later_and_once(send, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMultiAlternatives.send", _no_line)
        send(work="")
    assert mail.outbox == []
    assert contact.send_confirmations() == 1
    assert contact.send_confirmations() == 0
    assert len(mail.outbox) == 1


def _no_line(*_args, **_kwargs):
    raise ConnectionRefusedError("no server")


def _token():
    return re.search(r"/contact/confirm/([^/\s]+)/", mail.outbox[-1].body).group(1)


def test_files_without_work_are_refused_with_the_way_to_send_them(send):
    response = send(work="", attachments=[SimpleUploadedFile("a.txt", b"one")])
    assert response.status_code == 422
    assert "attach them to your answer to the mail" in seen(response)
    assert UnconfirmedRequest.objects.count() == 0


def test_one_address_sends_five_an_hour_and_keeps_its_words(send):
    for _ in range(5):
        send()
    response = send(text="The sixth.")
    assert response.status_code == 429
    assert "Many messages came from this address" in seen(response)
    assert "The sixth." in response.content.decode()
    assert Ticket.objects.count() == 5
    assert SENT in seen(send(address="eve@example.org"))


def test_wrong_fields_are_told_with_the_remedy(send):
    response = send(address="ada", subject="", text=" ")
    assert response.status_code == 422
    text = seen(response)
    assert "This is no e-mail address: write it like name@example.com." in text
    assert "Say in a few words what it is about." in text
    assert "Write something first." in text


# --- the work ------------------------------------------------------------------------------------


def test_work_counts_once():
    answer = solved()
    assert is_solved(answer)
    assert not is_solved(answer)


def test_work_expires():
    challenge = new_challenge()
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=31)):
        assert not is_solved(solved(challenge))


def test_work_of_ones_own_making_does_not_count():
    easy = altcha.create_challenge(algorithm="SHA-256", cost=1, key_prefix="", hmac_secret="mine")
    assert not is_solved(solved(easy.to_dict()))
    changed = new_challenge()
    changed["parameters"]["keyPrefix"] = ""
    assert not is_solved(solved(changed))


@pytest.mark.parametrize("answer", ["", "%", "e30=", "W10=", "bnVsbA==", "x" * 5000])
def test_nonsense_is_no_work(answer):
    assert not is_solved(answer)


def test_challenge_is_fresh_each_time_and_never_cached(client):
    one, other = client.get("/contact/challenge/"), client.get("/contact/challenge/")
    assert one.json()["parameters"]["nonce"] != other.json()["parameters"]["nonce"]
    assert "no-store" in one["Cache-Control"]
    cache.clear()


# --- languages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"), [("de", "Ihre Nachricht"), ("ru", "Ваше сообщение")]
)
def test_page_speaks_the_chosen_language(client, language, words):
    response = client.get(f"/contact/?language={language}")
    assert words in seen(response)
    assert response["Content-Language"] == language
    assert f'<option value="{language}" selected>' in response.content.decode()


def test_pages_load_nothing_from_elsewhere(client):
    body = client.get("/contact/").content.decode()
    assert re.findall(r'(?:src|href|data-worker)="(?:https?:)?//[^"]+"', body) == []


# --- whose it is ---------------------------------------------------------------------------------


def answered(ticket, **fields):
    receive_message(
        ticket,
        **{
            "text": "Yes.",
            "channel": "email",
            "author_address": "ada@example.com",
            "to": ["support@example.com"],
        }
        | fields,
    )
    process_events()
    ticket.refresh_from_db()
    return ticket.customer


@pytest.fixture
def unproven(send):
    customer = CustomerFactory(email="ada@example.com", name="Ada GmbH")
    send()
    ticket = Ticket.objects.get()
    assert (ticket.customer, ticket.supposed_customer) == (None, customer)
    return ticket


def test_answer_to_our_signed_address_proves_whose_it_is(unproven):
    address = reply_address("support@example.com", str(unproven.pk))
    assert answered(unproven, to=[address]) == unproven.supposed_customer or unproven.customer
    assert unproven.customer.name == "Ada GmbH"
    assert unproven.supposed_customer is None


def test_answer_that_names_our_mail_proves_whose_it_is(unproven):
    ours = unproven.messages.get(direction="out")
    Message.objects.filter(pk=ours.pk).update(message_id="secret@amends")
    assert answered(unproven, in_reply_to="secret@amends").name == "Ada GmbH"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"in_reply_to": "guessed@amends"},
        {"author_address": "eve@example.org"},
        {"channel": "web"},
        {"is_automatic": True},
    ],
    ids=["nothing", "wrong id", "another sender", "by the page", "a machine"],
)
def test_without_proof_it_stays_nobodys(unproven, fields):
    address = reply_address("support@example.com", str(unproven.pk))
    given = {"to": [address]} if set(fields) - {"in_reply_to"} else {}
    assert answered(unproven, **given, **fields) is None


def test_signed_in_customer_says_that_it_is_theirs(client, unproven):
    client.force_login(member(unproven.supposed_customer))
    page = seen(client.get("/account/requests/"))
    assert "On our public form somebody gave your e-mail address: “No internet”" in page
    client.post(f"/account/requests/T-{unproven.pk}/mine/", {"is_theirs": "yes"})
    unproven.refresh_from_db()
    assert unproven.customer.name == "Ada GmbH"
    assert "somebody gave" not in seen(client.get("/account/requests/"))


def test_signed_in_customer_says_that_it_is_not_theirs(client, unproven):
    client.force_login(member(unproven.supposed_customer))
    client.post(f"/account/requests/T-{unproven.pk}/mine/", {"is_theirs": "no"})
    unproven.refresh_from_db()
    assert (unproven.customer, unproven.supposed_customer) == (None, None)
    assert client.get(f"/account/requests/T-{unproven.pk}/").status_code == 404


def test_another_customer_cannot_claim_it(client, unproven):
    client.force_login(member(CustomerFactory()))
    path = f"/account/requests/T-{unproven.pk}/mine/"
    assert client.post(path, {"is_theirs": "yes"}).status_code == 404
    client.force_login(UserFactory())
    assert client.post(path, {"is_theirs": "yes"}).status_code == 403


def test_agent_is_told_whose_it_may_be_and_can_say_so(unproven):
    customer = unproven.supposed_customer
    client = Client()
    client.force_login(agent())
    url = reverse("admin:support_ticket_change", args=[unproven.pk])
    page = words(client.get(url))
    assert f"May be {customer.name} ({customer.reference})" in page
    assert f"It is {customer.name}" in page
    client.post(
        reverse("admin:support_ticket_do", args=[unproven.pk, "customer"]),
        {"customer": customer.pk},
    )
    assert "May be" not in words(client.get(url))
    unproven.refresh_from_db()
    assert unproven.customer == customer
