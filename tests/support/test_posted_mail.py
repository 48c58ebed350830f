"""What mail services post."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from django.urls import reverse

from backoffice.channels.email.tokens import reply_address
from support.intake import handle_inbound
from support.models import Inbound, Ticket
from tests.channels.odd_mail import ODD, mail
from tests.support.factories import opened
from tests.support.mail_servers import SUPPORT

pytestmark = pytest.mark.django_db
SECRET = "us:a-long-secret"
RAW = mail(
    "From: ada@example.com", "Message-ID: <posted@example.com>", "Subject: Hi", body="Hello."
)


@pytest.fixture(autouse=True)
def service(settings):
    settings.SUPPORT_EMAIL = SUPPORT
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": "sign"}


def mailgun(client, raw=RAW, *, secret=SECRET, key="sign", recipient=SUPPORT):
    """A mail as Mailgun posts it, whole and signed."""
    stamp, token = str(int(time.time())), "a" * 50
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return client.post(
        reverse("posted-mail", args=["mailgun"]),
        {"timestamp": stamp, "token": token, "signature": signature, "recipient": recipient,
         "sender": "ada@example.com", "body-mime": raw.decode("utf-8", "replace")},
        headers={"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"},
    )  # fmt: skip


def test_posted_mail_becomes_a_ticket(client):
    assert mailgun(client).status_code == 200
    handle_inbound()
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.requester_address) == ("Hi", "ada@example.com")
    assert ticket.messages.first().text == "Hello."


def test_mail_posted_twice_is_kept_once(client):
    assert [mailgun(client).status_code, mailgun(client).status_code] == [200, 200]
    assert Inbound.objects.count() == 1


def test_address_it_was_delivered_to_finds_the_ticket(client):
    ticket = opened()
    assert mailgun(client, recipient=reply_address(SUPPORT, str(ticket.pk))).status_code == 200
    handle_inbound()
    assert Inbound.objects.get().ticket == ticket


def test_door_is_shut_without_a_secret(client, settings):
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "sign"}
    assert mailgun(client).status_code == 404


def test_door_is_shut_to_the_wrong_secret_or_signature(client):
    assert mailgun(client, secret="us:wrong").status_code == 400
    assert mailgun(client, key="wrong").status_code == 400
    assert Inbound.objects.count() == 0


@pytest.mark.parametrize("service", ["nobody", "base", "test"])
def test_unknown_service_has_no_door(client, service):
    assert client.post(reverse("posted-mail", args=[service])).status_code == 404


def test_service_that_posts_parts_is_read(client):
    told = {
        "FromFull": {"Email": "ada@example.com", "Name": "Ada"},
        "From": "Ada <ada@example.com>", "To": SUPPORT, "OriginalRecipient": SUPPORT,
        "Subject": "Störung", "MessageID": "x", "Date": "Sat, 21 Nov 2026 10:00:00 +0100",
        "TextBody": "Nichts geht.", "HtmlBody": "<p>Nichts geht.</p>",
        "Headers": [{"Name": "Message-ID", "Value": "<p@example.com>"}],
        "Attachments": [{"Name": "a.txt", "Content": "aGk=", "ContentType": "text/plain"}],
    }  # fmt: skip
    answer = client.post(
        reverse("posted-mail", args=["postmark"]),
        json.dumps(told),
        content_type="application/json",
        headers={"Authorization": f"Basic {base64.b64encode(SECRET.encode()).decode()}"},
    )
    assert answer.status_code == 200
    handle_inbound()
    message = Inbound.objects.get().message
    assert (message.subject, message.text) == ("Störung", "Nichts geht.")
    assert message.message_id == "p@example.com"
    assert [one.name for one in message.attachments.all()] == ["a.txt"]


@pytest.mark.parametrize("name", [name for name, raw in ODD.items() if 0 < len(raw) < 50_000])
def test_odd_mail_that_is_posted_is_a_ticket(client, name):
    assert mailgun(client, ODD[name]).status_code == 200
    handle_inbound()
    assert Inbound.objects.get().ticket
