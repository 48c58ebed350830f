"""Webhooks arrive signed, are tried again, and can be doubled and put out of order."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

SECRET = "whsec_test"


class Receiver(ThreadingHTTPServer):
    """Verifies each event as an application would; refuses the first ``failures``."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events = []
        self.failures = 0
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/webhooks/stripe?x=1"

    def wait_for(self, number):
        limit = time.monotonic() + 30
        while len(self.events) < number and time.monotonic() < limit:
            time.sleep(0.01)
        return [event.type for event in self.events]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        payload = self.rfile.read(int(self.headers["Content-Length"]))
        event = stripe.Webhook.construct_event(payload, self.headers["Stripe-Signature"], SECRET)
        with self.server.lock:
            refused = self.server.failures > 0
            self.server.failures -= refused
            if not refused:
                self.server.events.append(event)
        self.send_response(500 if refused else 200)
        self.end_headers()

    def log_message(self, *_):
        """Silent."""


@pytest.fixture
def receiver(stripe_sandbox):
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        stripe_sandbox.send_webhooks_to(server.url, SECRET, pauses_seconds=(0.05, 0.05))
        yield server
        stripe_sandbox.send_webhooks_to("", "")
        server.shutdown()
        thread.join()


def settled(sandbox):
    """The log, once nothing in it is pending."""
    limit = time.monotonic() + 30
    log = sandbox.deliveries()
    while any(each["state"] == "pending" for each in log) and time.monotonic() < limit:
        time.sleep(0.01)
        log = sandbox.deliveries()
    return log


def test_event_arrives_signed(client, receiver, stripe_sandbox):
    made = client.v1.customers.create({"name": "Ada"})
    assert receiver.wait_for(1) == ["customer.created"]
    (event,) = receiver.events
    assert event.data.object.id == made.id
    assert event.request.id == made.last_response.headers["request-id"]
    (delivery,) = settled(stripe_sandbox)
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("delivered", 1, 200)
    assert client.v1.events.retrieve(event.id).pending_webhooks == 0


def test_event_is_tried_again(client, receiver, stripe_sandbox):
    receiver.failures = 2
    client.v1.customers.create()
    assert receiver.wait_for(1) == ["customer.created"]
    (delivery,) = settled(stripe_sandbox)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 3)


def test_event_is_given_up_in_the_end(client, receiver, stripe_sandbox):
    receiver.failures = 3
    client.v1.customers.create()
    (delivery,) = settled(stripe_sandbox)
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("failed", 3, 500)
    assert receiver.events == []


def test_nobody_listens(client, stripe_sandbox):
    stripe_sandbox.send_webhooks_to("http://127.0.0.1:9/", SECRET, pauses_seconds=(0.01,))
    client.v1.customers.create()
    (delivery,) = settled(stripe_sandbox)
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("failed", 2, None)
    assert delivery["note"]


def test_event_arrives_twice(client, receiver, stripe_sandbox):
    stripe_sandbox.faults({"kind": "webhook_duplicate", "path": "customer.created"})
    client.v1.customers.create()
    assert receiver.wait_for(2) == ["customer.created", "customer.created"]
    assert len({event.id for event in receiver.events}) == 1


def test_events_arrive_out_of_order(client, receiver, stripe_sandbox):
    stripe_sandbox.faults(
        {"kind": "webhook_unordered", "path": "customer.created", "delay_ms": 300}
    )
    made = client.v1.customers.create()
    client.v1.customers.update(made.id, {"name": "x"})
    assert receiver.wait_for(2) == ["customer.updated", "customer.created"]


def test_events_of_a_subscription(client, receiver, subscription):
    client.v1.subscriptions.update(subscription.id, {"metadata": {"a": "b"}})
    client.v1.subscriptions.cancel(subscription.id)
    kinds = [kind for kind in receiver.wait_for(6) if "subscription" in kind]
    assert sorted(kinds) == [
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.updated",
    ]


def test_event_of_a_rolled_back_change_is_never_sent(client, receiver, customer, stripe_sandbox):
    receiver.wait_for(1)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": "price_none"}]}
        )
    assert [each["type"] for each in settled(stripe_sandbox)] == ["customer.created"]


def test_events_are_listed_by_type(client, customer):
    client.v1.customers.update(customer.id, {"name": "x"})
    kinds = [each.type for each in client.v1.events.list().data]
    assert kinds == ["customer.updated", "customer.created"]
    only = client.v1.events.list({"types": ["customer.created", "invoice.paid"]}).data
    assert [each.type for each in only] == ["customer.created"]
