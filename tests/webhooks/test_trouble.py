"""What goes wrong: poison, silence, issuing that goes first; and what people do about it."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from backoffice.webhooks import claiming, handling
from backoffice.webhooks.forgetting import forget_events
from backoffice.webhooks.models import StripeEvent
from backoffice.webhooks.settling import ignore, try_again
from compensation.models import BalanceReading, LedgerEntry
from tests.accounts.factories import staff
from tests.webhooks.posting import an_event, post
from tests.webhooks.stories import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_sandbox):
    return Shop(stripe_sandbox)


@pytest.fixture
def poison(client):
    """About a customer that it does not name."""
    post(client, an_event(about={"object": "customer"}))
    return StripeEvent.objects.get()


def handle_for_long():
    """As many turns as there are attempts, the pauses over each time."""
    for _ in range(claiming.ATTEMPTS):
        StripeEvent.objects.filter(state="waiting").update(next_at=timezone.now())
        handling.handle_events()


def test_poison_is_parked_after_some_tries_with_its_error(poison):
    handling.handle_events()
    poison.refresh_from_db()
    assert (poison.state, poison.attempts) == ("waiting", 1)
    assert poison.next_at > timezone.now()
    handle_for_long()
    poison.refresh_from_db()
    assert (poison.state, poison.attempts) == ("parked", claiming.ATTEMPTS)
    assert poison.error == "It does not name the customer or subscription that it is about."


def test_poison_does_not_keep_the_others(shop, client, monkeypatch):
    good, bad = shop.customer(), shop.customer()
    shop.deliver(client)
    read = handling.refresh_mirror

    def breaks(customers, subscriptions, *, pace):
        if bad.stripe_customer_id in customers:
            raise ValueError("a name that breaks us")
        return read(customers, subscriptions, pace=pace)

    monkeypatch.setattr(handling, "refresh_mirror", breaks)
    handling.handle_events()
    states = dict(StripeEvent.objects.values_list("customer_id", "state"))
    assert states == {good.stripe_customer_id: "handled", bad.stripe_customer_id: "waiting"}
    handle_for_long()
    row = StripeEvent.objects.get(customer_id=bad.stripe_customer_id)
    assert (row.state, row.error) == ("parked", "ValueError: a name that breaks us")


def test_event_that_kills_its_worker_is_parked(poison):
    for _ in range(claiming.ATTEMPTS):
        StripeEvent.objects.update(next_at=timezone.now())
        assert len(claiming.claim()) == 1
    StripeEvent.objects.update(next_at=timezone.now())
    handling.handle_events()
    poison.refresh_from_db()
    assert poison.error == "Each attempt ended with the death of its worker."
    assert poison.state == "parked"


@pytest.mark.parametrize("fault", ["auth_401", "drop_before"])
def test_silence_of_stripe_counts_as_no_attempt(shop, client, fault):
    shop.customer()
    shop.deliver(client)
    shop.sandbox.faults({"kind": fault, "path": "/v1/customers"})
    handling.handle_events()
    row = StripeEvent.objects.get()
    assert (row.state, row.attempts) == ("waiting", 0)
    assert row.error.startswith("Stripe")
    shop.sandbox.clear_faults()
    StripeEvent.objects.update(next_at=timezone.now())
    handling.handle_events()
    assert StripeEvent.objects.get().state == "handled"


def test_server_error_of_one_customer_is_tried_again(shop, client):
    good, bad = shop.customer(), shop.customer()
    shop.deliver(client)
    path = f"/v1/customers/{bad.stripe_customer_id}"
    shop.sandbox.faults({"kind": "error_500_lost", "path": path})
    handling.handle_events()
    states = dict(StripeEvent.objects.values_list("customer_id", "state"))
    assert states == {good.stripe_customer_id: "handled", bad.stripe_customer_id: "waiting"}


def test_reading_gives_way_to_issuing_but_not_for_ever(shop, client, monkeypatch):
    monkeypatch.setattr(handling, "has_work", lambda: True)
    shop.customer()
    shop.deliver(client)
    handling.handle_events()
    assert StripeEvent.objects.get().state == "waiting"
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(minutes=20))
    handling.handle_events()
    assert StripeEvent.objects.get().state == "handled"


def test_many_events_of_one_customer_are_one_reading(shop, client):
    customer = shop.customer()
    for number in range(10):
        shop.client.v1.customers.update(customer.stripe_customer_id, {"name": f"Ada {number}"})
    shop.deliver(client)
    before = shop.sandbox.totals()["requests"]
    handling.handle_events()
    assert shop.sandbox.totals()["requests"] - before == 1


def test_use_that_nobody_announced_is_found_by_the_poll(shop, settings):
    customer = shop.customer()
    award = shop.credit(customer, 3000)
    assert handling.poll_balances().read == 0  # takes notice of the credit
    BalanceReading.objects.update(next_at=timezone.now())
    shop.bill(customer, 1000)
    assert handling.poll_balances().booked == 1
    found = LedgerEntry.objects.get(kind="consumed")
    assert (found.award, found.amount_minor) == (award, -1000)
    assert handling.poll_balances().read == 0  # its turn is over
    shop.bill(customer, 2000)
    BalanceReading.objects.update(next_at=timezone.now())
    handling.poll_balances()
    # nothing is left, so nothing is looked at any more
    assert BalanceReading.objects.get().next_at is None


def test_only_old_settled_events_are_forgotten(client):
    for _ in range(4):
        post(client, an_event())
    rows = list(StripeEvent.objects.order_by("pk"))
    old, new = timezone.now() - timedelta(days=61), timezone.now() - timedelta(days=59)
    for row, (state, received_at) in zip(
        rows, [("handled", old), ("handled", new), ("waiting", old), ("ignored", old)], strict=True
    ):
        StripeEvent.objects.filter(pk=row.pk).update(state=state, received_at=received_at)
    assert forget_events() == 2
    assert list(StripeEvent.objects.order_by("pk")) == [rows[1], rows[2]]
    assert forget_events() == 0


def test_parked_event_is_tried_again(poison):
    handle_for_long()
    poison.refresh_from_db()
    try_again(poison, by=staff(Role.FINANCE))
    poison.refresh_from_db()
    assert (poison.state, poison.attempts) == ("waiting", 0)


def test_parked_event_is_ignored_with_a_reason(poison):
    handle_for_long()
    poison.refresh_from_db()
    person = staff(Role.FINANCE)
    with pytest.raises(ValidationError):
        ignore(poison, by=person, reason="  ")
    ignore(poison, by=person, reason="Sent by a test.")
    poison.refresh_from_db()
    assert (poison.state, poison.note) == ("ignored", f"{person}: Sent by a test.")
    with pytest.raises(MoveError):
        try_again(poison, by=person)


def test_only_parked_events_are_settled_and_only_by_whom_may(poison):
    with pytest.raises(MoveError):
        ignore(poison, by=staff(Role.FINANCE), reason="No.")
    with pytest.raises(PermissionDenied):
        try_again(poison, by=staff(Role.FINANCE_APPROVER))
