"""From the event to the mirror and the ledger, against the sandbox."""

import pytest

from backoffice.customers.models import Customer, Subscription
from backoffice.webhooks import handling
from backoffice.webhooks.models import StripeEvent
from compensation.models import LedgerEntry
from tests.compensation.factories import AwardFactory
from tests.webhooks.posting import an_event, post
from tests.webhooks.stories import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_sandbox):
    return Shop(stripe_sandbox)


def states():
    return list(StripeEvent.objects.order_by("pk").values_list("state", flat=True))


def uses():
    """Award, amount and invoice of what is booked as used, oldest first."""
    rows = LedgerEntry.objects.filter(kind="consumed").order_by("pk")
    return list(rows.values_list("award", "amount_minor", "note"))


def test_customer_and_subscription_come_in_by_their_events(shop, client):
    customer = shop.client.v1.customers.create({"name": "Ada", "email": "ada@example.com"})
    subscription = shop.subscribe(customer.id, 4990)
    shop.deliver(client)
    handling.handle_events()
    found = Subscription.objects.select_related("customer").get()
    assert (found.stripe_subscription_id, found.fee_minor) == (subscription.id, 4990)
    assert (found.customer.name, found.customer.currency) == ("Ada", "EUR")
    # those of product and price say nothing to us
    assert sorted(states()) == ["handled", "handled", "ignored", "ignored"]


def test_old_event_brings_what_is_true_now(shop, client):
    customer = shop.client.v1.customers.create({"name": "Ada"})
    shop.client.v1.customers.update(customer.id, {"name": "Ada Lovelace"})
    created, updated = shop.events()
    for event in (updated, created):
        post(client, event)
        handling.handle_events()
    assert Customer.objects.get().name == "Ada Lovelace"


def test_cancelled_subscription_ends_here(shop, client):
    customer = shop.client.v1.customers.create({"name": "Ada"})
    subscription = shop.subscribe(customer.id, 4990)
    shop.client.v1.subscriptions.cancel(subscription.id)
    shop.deliver(client)
    handling.handle_events()
    found = Subscription.objects.get()
    assert (found.status, found.ended_at is not None) == ("canceled", True)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_deleted_customer_loses_the_link_and_its_subscriptions_end(shop, client, is_reversed):
    customer = shop.client.v1.customers.create({"name": "Ada"})
    shop.subscribe(customer.id, 4990)
    shop.deliver(client)
    handling.handle_events()
    seen = len(shop.events())
    shop.client.v1.customers.delete(customer.id)
    events = shop.events()[seen:]
    for event in reversed(events) if is_reversed else events:
        post(client, event)
        handling.handle_events()
    assert Customer.objects.get().stripe_customer_id is None
    assert Subscription.objects.get().status == "canceled"
    assert set(states()) == {"handled", "ignored"}


def test_invoice_uses_the_oldest_credit_first(shop, client):
    customer = shop.customer()
    old, new = shop.credit(customer, 3000), shop.credit(customer, 2000)
    bill = shop.bill(customer, 4000)
    shop.deliver(client)
    handling.handle_events()
    assert uses() == [(old.pk, -3000, bill["number"]), (new.pk, -1000, bill["number"])]


def test_use_is_booked_once_however_often_it_is_told(shop, client):
    customer = shop.customer()
    award = shop.credit(customer, 3000)
    bill = shop.bill(customer, 1000)
    for _ in range(2):
        for event in shop.events():
            event["id"] += "x"
            post(client, event)
        handling.handle_events()
    assert uses() == [(award.pk, -1000, bill["number"])]


def test_credit_made_by_hand_is_booked_to_no_award(shop, client):
    customer = shop.customer()
    shop.by_hand(customer, -5000)
    award = shop.credit(customer, 1000)
    bill = shop.bill(customer, 4000)
    shop.bill(customer, 500)
    shop.deliver(client)
    handling.handle_events()
    assert uses() == [(award.pk, -1000, bill["number"])]


def test_voided_invoice_gives_back_last_first(shop, client):
    customer = shop.customer()
    old, new = shop.credit(customer, 3000), shop.credit(customer, 2000)
    bill = shop.bill(customer, 4000, is_paid=False)
    shop.deliver(client)
    handling.handle_events()
    shop.client.v1.invoices.void_invoice(bill["id"])
    shop.deliver(client)
    handling.handle_events()
    number = bill["number"]
    assert uses() == [
        (old.pk, -3000, number), (new.pk, -1000, number), (new.pk, 1000, number),
        (old.pk, 3000, number),
    ]  # fmt: skip


def test_unknown_type_is_kept_and_ignored(client):
    post(client, an_event("radar.early_fraud_warning.created", {"id": "issfr_1"}))
    handling.handle_events()
    assert states() == ["ignored"]


def test_event_about_a_customer_whom_stripe_does_not_know_is_noted(shop, client):
    post(client, an_event(about={"id": "cus_gone", "object": "customer"}))
    handling.handle_events()
    row = StripeEvent.objects.get()
    assert (row.state, row.note) == ("handled", "cus_gone: Stripe has none of this id.")
    assert not Customer.objects.exists()


def test_our_own_call_comes_back_and_nothing_is_read(shop, client):
    AwardFactory(idempotency_key="award-1-1-abc")
    event = an_event(request={"id": "req_1", "idempotency_key": "award-1-1-abc"})
    post(client, event)
    before = shop.sandbox.totals()["requests"]
    handling.handle_events()
    assert states() == ["ignored"]
    assert shop.sandbox.totals()["requests"] == before
