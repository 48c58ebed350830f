"""What Stripe posts: who may, what is kept, and what is refused."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

import pytest
from django.test import Client

from backoffice.stripe_sandbox.posting import signature
from backoffice.webhooks import receivers, signals, tasks
from backoffice.webhooks.models import StripeEvent
from backoffice.webhooks.views import MOST_BYTES
from tests.webhooks.posting import SECRET, URL, an_event, post

pytestmark = pytest.mark.django_db


def test_event_is_kept_byte_for_byte_and_nothing_else_is_done(client):
    event = an_event("invoice.paid", {"id": "in_1", "object": "invoice", "customer": "cus_7"})
    body = json.dumps(event, indent=3).encode()
    assert post(client, body).status_code == 200
    row = StripeEvent.objects.get()
    assert bytes(row.body) == body
    assert (row.event_id, row.kind, row.object_id, row.customer_id, row.state, row.deliveries) == (
        event["id"], "invoice.paid", "in_1", "cus_7", "waiting", 1,
    )  # fmt: skip
    assert row.created_at == datetime.fromtimestamp(event["created"], UTC)


@pytest.mark.parametrize("events", [1, 3])
def test_an_event_takes_one_query(client, events, django_assert_num_queries):
    for _ in range(events):
        with django_assert_num_queries(1):
            post(client, an_event())


def test_replayed_event_is_counted_and_answered_with_success(client):
    event = an_event()
    assert [post(client, event).status_code for _ in range(3)] == [200, 200, 200]
    assert StripeEvent.objects.get().deliveries == 3


def test_door_needs_no_csrf_token():
    assert post(Client(enforce_csrf_checks=True), an_event()).status_code == 200


@pytest.mark.parametrize("secret", ["whsec_old", "whsec_new"])
def test_both_secrets_are_good_while_one_is_replaced(client, settings, secret):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]
    assert post(client, an_event(), secret=secret).status_code == 200


def test_retired_secret_is_refused(client, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new"]
    assert post(client, an_event(), secret="whsec_old").status_code == 400
    assert not StripeEvent.objects.exists()


def test_one_good_signature_of_several_is_enough(client):
    now = int(time.time())
    body = json.dumps(an_event()).encode()
    good = signature(body.decode(), SECRET, now).partition("v1=")[2]
    signed = f"t={now},v1={'0' * 64},v0=abc,v1={good}"
    assert post(client, body, signed=signed).status_code == 200


@pytest.mark.parametrize("shift", [-301, -3600, 301, 86_400])
def test_old_and_future_times_are_refused(client, shift):
    # two seconds of leeway for a slow machine
    at = int(time.time()) + shift + (2 if shift > 0 else -2)
    assert post(client, an_event(), at=at).status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize("shift", [-290, 0, 290])
def test_times_within_five_minutes_are_taken(client, shift):
    assert post(client, an_event(), at=int(time.time()) + shift).status_code == 200


@pytest.mark.parametrize(
    "signed",
    [
        "t=,v1=", "v1=abc", "t=1", "t=abc,v1=abc", "t=1,t=2,v1=abc", "t=-1,v1=abc",
        "t=99999999999999999999,v1=abc", "t=1,v1=ä", "garbage", "t=²,v1=a", ",,,=,=",
    ],
)  # fmt: skip
def test_bad_signatures_are_refused(client, signed):
    assert post(client, an_event(), signed=signed).status_code == 400
    assert not StripeEvent.objects.exists()


def test_body_changed_on_the_way_is_refused(client):
    body = json.dumps(an_event()).encode()
    signed = signature(body.decode(), SECRET, int(time.time()))
    assert post(client, body.replace(b"cus_1", b"cus_2"), signed=signed).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"null", b"\xff\xfe", b'{"id": "evt_1"}', b"[" * 5000,
        json.dumps(an_event(id="evt 1")).encode(),
        json.dumps(an_event(id="x" * 300)).encode(),
        json.dumps(an_event(created="yesterday")).encode(),
        json.dumps(an_event(created=10**18)).encode(),
        json.dumps(an_event(object="v2.core.event")).encode(),
    ],
)  # fmt: skip
def test_signed_garbage_is_refused(client, body):
    now = int(time.time())
    mac = hmac.new(SECRET.encode(), str(now).encode() + b"." + body, hashlib.sha256).hexdigest()
    assert post(client, body, signed=f"t={now},v1={mac}").status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize(
    "about",
    [
        {"id": 5}, {"id": None}, {"id": "\0"}, {"id": "\ud800"}, {"id": "x" * 300}, [], "x",
        {"customer": {"id": []}},
    ],
)  # fmt: skip
def test_odd_objects_are_kept_without_an_id(client, about):
    assert post(client, an_event(data={"object": about})).status_code == 200
    row = StripeEvent.objects.get()
    assert (row.object_id, row.customer_id) == ("", "")


def test_huge_body_is_refused_unread(client):
    assert post(client, b" " * (MOST_BYTES + 1)).status_code == 413
    body = json.dumps(an_event()).encode().ljust(MOST_BYTES)
    assert post(client, body).status_code == 200


def test_wrong_methods_and_types_are_refused(client):
    assert [client.get(URL).status_code, client.put(URL).status_code] == [405, 405]
    assert post(client, an_event(), content_type="text/plain").status_code == 415


def test_whoever_does_not_sign_is_shut_out(client):
    assert client.post(URL, {"id": "evt_1"}).status_code == 403


def test_door_is_shut_without_a_secret(client, settings):
    settings.STRIPE_WEBHOOK_SECRETS = []
    assert post(client, an_event(), secret="").status_code == 404


@pytest.mark.parametrize(
    ("key", "fields", "words"),
    [
        ("sk_test_1", {"livemode": True}, "It is live, and our key is for tests."),
        ("sk_live_1", {}, "It is a test, and our key is live."),
        ("sk_test_1", {"account": "acct_1"}, "It is of a connected account."),
    ],
)
def test_events_that_are_not_for_us_are_kept_and_ignored(client, settings, key, fields, words):
    settings.STRIPE_API_KEY = key
    assert post(client, an_event(**fields)).status_code == 200
    row = StripeEvent.objects.get()
    assert (row.state, row.note) == ("ignored", words)


def test_one_message_wakes_the_worker(client, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.handle_events, "apply_async", lambda **more: sent.append(more))
    tasks.cache.delete(tasks.AWAKE)
    signals.events_waiting.connect(receivers.wake_handling)
    try:
        for _ in range(3):
            post(client, an_event())
    finally:
        signals.events_waiting.disconnect(receivers.wake_handling)
        tasks.cache.delete(tasks.AWAKE)
    first = StripeEvent.objects.order_by("pk")[0].pk
    assert sent == [{"args": (first,), "retry": False}]


def test_event_is_kept_although_the_broker_is_away(client, monkeypatch):
    def fails(*_, **__):
        raise ConnectionError

    signals.events_waiting.connect(fails)
    try:
        assert post(client, an_event()).status_code == 200
    finally:
        signals.events_waiting.disconnect(fails)
    assert StripeEvent.objects.exists()
