"""Outgoing webhooks: signed, repeated until they arrive, and never into our own network."""

import json
import socket
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from support import webhooks
from support.models import StaffNotice, WebhookDelivery, WebhookEndpoint
from support.processing import process_events
from support.tickets import change_ticket
from support.webhooks import posting, sending
from support.webhooks.addresses import AddressError, is_public, public_address
from tests.accounts.factories import staff
from tests.support.factories import agent, opened
from tests.support.other_system import other_system

pytestmark = pytest.mark.django_db
State = WebhookDelivery.State


@pytest.fixture
def other():
    with other_system() as system:
        yield system


@pytest.fixture
def admin():
    return staff(Role.ADMINISTRATOR)


def endpoint(other, **fields):
    return WebhookEndpoint.objects.create(
        **{"name": "CRM", "url": other.url, "secret": webhooks.new_secret()} | fields
    )


def process():
    while process_events():
        pass


def test_events_arrive_signed(other):
    crm = endpoint(other)
    ann = agent()
    ticket = opened(tags=["vip"])
    change_ticket(ticket, by=ann, subject="Private words")
    process()
    assert webhooks.send_deliveries() == 2
    # They are sent at once, so they arrive in any order.
    received = sorted(other.received, key=lambda one: int(one[1]["webhook-id"][4:]))
    for (path, headers, body), delivery in zip(
        received, WebhookDelivery.objects.order_by("id"), strict=True
    ):
        assert path == "/hooks?from=amends"
        assert headers["Content-Type"] == "application/json"
        assert headers["webhook-id"] == f"msg_{delivery.pk}"
        said = Webhook(crm.secret).verify(body, headers)
        assert said == delivery.payload
        assert (delivery.state, delivery.status_code, delivery.attempts) == ("delivered", 200, 1)
        assert delivery.answer == "said:  thanks"
        with pytest.raises(WebhookVerificationError):
            Webhook(webhooks.new_secret()).verify(body, headers)
    first, second = (json.loads(body) for _path, _headers, body in received)
    ticket.refresh_from_db()
    assert first["type"] == "ticket.opened"
    assert first["data"]["ticket"] == {
        "number": ticket.number, "status": "new", "channel": "email", "language": "en",
        "queue": "general", "assignee": None, "customer": ticket.customer.reference,
        "incident": None, "tags": ["vip"], "priority": ticket.get_band_display(),
        "score": ticket.score, "due_at": ticket.due_at and ticket.due_at.isoformat(),
        "created_at": ticket.created_at.isoformat(),
    }  # fmt: skip
    assert second["data"]["event"]["by"] == ann.email
    assert "Private words" not in json.dumps([first, second])
    assert ticket.requester_address not in json.dumps([first, second])


def test_only_wanted_events_of_active_endpoints_are_stored(other):
    endpoint(other, on_events=["message_in"])
    endpoint(other, is_active=False)
    opened()
    process()
    assert not WebhookDelivery.objects.exists()
    endpoint(other, on_events=["opened", "status"])
    opened()
    process()
    assert WebhookDelivery.objects.count() == 1


@pytest.mark.parametrize("number", [1, 3])
def test_storing_costs_the_same_whatever_the_numbers(other, number):
    for _turn in range(number):
        endpoint(other)
    events = [opened(by=agent()).events.get() for _turn in range(number)]
    with CaptureQueriesContext(connection) as queries:
        assert webhooks.store_deliveries(events) == number**2
    assert len(queries) == 4


def test_what_does_not_arrive_is_sent_again_with_growing_pauses(other):
    endpoint(other)
    opened()
    process()
    other.answers = [500, "hang up", 200]
    names = []
    for attempt in (1, 2, 3):
        assert webhooks.send_deliveries() == 1
        delivery = WebhookDelivery.objects.get()
        assert delivery.attempts == attempt
        if attempt < 3:
            assert delivery.state == "waiting"
            waits = (delivery.next_at - timezone.now()).total_seconds()
            usual = 10 * 4 ** (attempt - 1)
            assert 0.8 * usual - 5 < waits < 1.2 * usual
            assert webhooks.send_deliveries() == 0
            WebhookDelivery.objects.update(next_at=timezone.now())
        names.append(other.received[-1][1]["webhook-id"])
    assert delivery.state == "delivered"
    assert len(set(names)) == 1
    assert WebhookEndpoint.objects.get().failures == 0


@given(st.integers(1, 12), st.floats(-0.2, 0.2))
def test_pauses_grow_to_half_a_day_and_no_further(attempts, luck):
    assert timedelta(seconds=7) < sending.pause(attempts, luck=luck) <= timedelta(hours=14.4)
    whole = sum((sending.pause(n, luck=luck) for n in range(1, 10)), timedelta())
    assert timedelta(hours=24) < whole < timedelta(hours=48)


def test_delivery_is_given_up_in_the_end_and_can_be_sent_again(other, admin):
    endpoint(other)
    opened()
    process()
    WebhookDelivery.objects.update(attempts=sending.MOST_ATTEMPTS - 1)
    other.answers = [503]
    webhooks.send_deliveries()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.error) == ("failed", "It answered with status 503.")
    assert webhooks.send_deliveries() == 0
    webhooks.send_again(delivery, by=admin)
    with pytest.raises(MoveError):
        webhooks.send_again(delivery, by=admin)
    assert webhooks.send_deliveries() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.error) == ("delivered", 1, "")
    with pytest.raises(PermissionDenied):
        webhooks.send_again(delivery, by=staff(Role.SUPPORT_LEAD))


def test_redirections_are_not_followed(other):
    crm = endpoint(other)
    outcome = posting.post(crm.url, "{}", {})
    assert outcome.is_delivered
    other.answers = [302]
    outcome = posting.post(crm.url, "{}", {})
    assert (outcome.status, len(other.received)) == (302, 2)
    assert "leads on to another address" in outcome.error


def test_slow_answers_and_closed_ports_are_failures(other, monkeypatch):
    monkeypatch.setattr(posting, "READ", 0.2)
    other.answers = [1.0]
    assert "Timeout" in posting.post(other.url, "{}", {}).error
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert posting.post(url, "{}", {}).error != ""
    assert "known to no server" in posting.post("http://no.such.host.invalid/", "{}", {}).error


def test_endpoint_that_fails_for_days_is_switched_off_and_people_told(other, admin):
    crm = endpoint(other, created_by=admin)
    opened()
    process()
    long_ago = timezone.now() - timedelta(days=3, minutes=1)
    WebhookEndpoint.objects.update(failures=8, failing_since=long_ago)
    for _turn in range(2):
        other.answers = [500]
        assert webhooks.send_deliveries() == 1
        WebhookDelivery.objects.update(next_at=timezone.now())
    crm.refresh_from_db()
    assert (crm.is_active, crm.failures) == (False, 10)
    assert [notice.user for notice in StaffNotice.objects.all()] == [admin]
    assert "it has failed for days" in StaffNotice.objects.get().text
    assert webhooks.send_deliveries() == 0
    WebhookDelivery.objects.update(state=State.FAILED)
    delivery = WebhookDelivery.objects.get()
    with pytest.raises(MoveError):
        webhooks.send_again(delivery, by=admin)
    WebhookDelivery.objects.update(state=State.WAITING)
    webhooks.switch_on(crm, by=admin)
    assert webhooks.send_deliveries() == 1
    assert (crm.is_active, crm.failures, crm.failing_since) == (True, 0, None)


def test_endpoint_that_is_gone_is_switched_off_at_once(other, admin):
    crm = endpoint(other)
    opened()
    process()
    other.answers = [410]
    webhooks.send_deliveries()
    crm.refresh_from_db()
    assert not crm.is_active
    assert "it says that it is gone" in StaffNotice.objects.get().text


def test_one_success_makes_a_working_endpoint(other):
    crm = endpoint(other, failures=50, failing_since=timezone.now() - timedelta(days=9))
    opened()
    opened()
    process()
    other.answers = [500, 200]
    assert webhooks.send_deliveries() == 2
    crm.refresh_from_db()
    assert (crm.is_active, crm.failures) == (True, 0)


def test_both_secrets_sign_for_a_day_after_the_change(other, admin):
    crm = endpoint(other)
    former = crm.secret
    new = webhooks.rotate_secret(crm, by=admin)
    assert new != former
    webhooks.try_endpoint(crm, by=admin)
    _path, headers, body = other.received[-1]
    for secret in (former, new):
        assert Webhook(secret).verify(body, headers)["type"] == "ping"
    WebhookEndpoint.objects.update(former_until=timezone.now())
    crm.refresh_from_db()
    webhooks.try_endpoint(crm, by=admin)
    _path, headers, body = other.received[-1]
    Webhook(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(former).verify(body, headers)
    for verb in (webhooks.rotate_secret, webhooks.try_endpoint, webhooks.switch_on):
        with pytest.raises(PermissionDenied):
            verb(crm, by=staff(Role.SUPPORT_LEAD))


def test_secrets_stand_in_no_history(other, admin):
    crm = endpoint(other)
    webhooks.rotate_secret(crm, by=admin)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM support_webhookendpointevent")
        assert "whsec" not in str(cursor.fetchall())


def test_killed_worker_leaves_its_deliveries_to_the_next(other, monkeypatch):
    endpoint(other)
    opened()
    process()

    def die(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(sending, "post", die)
    with pytest.raises(KeyboardInterrupt):
        webhooks.send_deliveries()
    monkeypatch.undo()
    assert webhooks.send_deliveries() == 0
    WebhookDelivery.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    assert webhooks.send_deliveries() == 1
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("delivered", 2)


def test_one_endpoint_has_so_many_turns_in_a_round(other, monkeypatch):
    monkeypatch.setattr(sending, "EACH", 2)
    endpoint(other)
    endpoint(other)
    for _turn in range(3):
        opened()
    process()
    assert [webhooks.send_deliveries() for _turn in range(3)] == [4, 2, 0]


def test_old_deliveries_are_forgotten(other):
    endpoint(other)
    for _turn in range(3):
        opened()
    process()
    old, waiting, _fresh = WebhookDelivery.objects.order_by("id")
    long_ago = timezone.now() - timedelta(days=31)
    WebhookDelivery.objects.filter(pk__in=[old.pk, waiting.pk]).update(created_at=long_ago)
    WebhookDelivery.objects.exclude(pk=waiting.pk).update(state=State.DELIVERED)
    assert [webhooks.forget_deliveries(), webhooks.forget_deliveries()] == [1, 0]
    assert not WebhookDelivery.objects.filter(pk=old.pk).exists()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "ff02::1",
    ],
)  # fmt: skip
def test_private_addresses_are_known(address):
    assert not is_public(address)


def test_public_addresses_are_known():
    for address in ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"):
        assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_webhook_never_leads_into_our_own_network(other, settings, host):
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    port = other.url.split(":")[2].split("/")[0]
    outcome = posting.post(f"http://{host}:{port}/", "{}", {})
    assert outcome.status == 0
    assert "is no public address" in outcome.error or "known to no server" in outcome.error
    assert other.received == []


def test_name_with_one_private_address_is_not_used_at_all(settings, monkeypatch):
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    found = [(2, 1, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_more: found)
    with pytest.raises(AddressError, match=r"10\.0\.0\.1"):
        public_address("example.com", 443)


def test_connection_goes_to_the_address_that_was_checked(settings, monkeypatch):
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    answers = iter(["93.184.216.34", "127.0.0.1"])
    asked, connected = [], []

    def resolve(host, *given, **more):
        asked.append(host)
        return [(2, 1, 6, "", (next(answers), 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(posting, "_pool", lambda *given: connected.append(given[1]))
    with pytest.raises(TypeError):
        posting.post("https://rebinding.example/", "{}", {})
    assert (asked, connected) == (["rebinding.example"], ["93.184.216.34"])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https:///path", "https://a:b@example.com/",
        "https://example.com:0/", "https://example.com:99999/", "javascript:alert(1)",
        "https://[::1/",
    ],
)  # fmt: skip
def test_address_is_refused_when_it_is_written(settings, url):
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    with pytest.raises(ValidationError) as caught:
        webhooks.check_url(url)
    assert list(caught.value.message_dict) == ["url"]


def test_address_that_is_allowed(settings):
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    assert webhooks.check_url("https://example.com:8443/hooks?a=1").port == 8443
