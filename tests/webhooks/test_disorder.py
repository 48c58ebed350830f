"""Any order, any repetition, any cut into slices: the same state in the end."""

import threading

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.customers.mirror import Pace
from backoffice.customers.models import Customer, Subscription
from backoffice.webhooks import claiming, handling
from backoffice.webhooks.models import StripeEvent
from compensation.consumption import Pacing, book_uses
from compensation.models import LedgerEntry
from tests.webhooks.posting import post
from tests.webhooks.stories import Shop

PACE = Pace(1000.0)
PACING = Pacing(PACE.wait, PACE.pause)


@pytest.fixture
def shop(stripe_sandbox):
    return Shop(stripe_sandbox)


def state():
    return (
        sorted(Customer.objects.values_list("name", "stripe_customer_id", "currency")),
        sorted(Subscription.objects.values_list("stripe_subscription_id", "status", "fee_minor")),
        sorted(
            LedgerEntry.objects.filter(kind="consumed").values_list(
                "award", "amount_minor", "stripe_id", "note"
            )
        ),
    )


def handled(client, deliveries):
    """The state after these were posted, None standing for a worker's turn; taken back."""
    with transaction.atomic():
        for event in deliveries:
            if event is None:
                handling.handle_events()
            else:
                assert post(client, event).status_code == 200
        handling.handle_events()
        left = StripeEvent.objects.exclude(state__in=["handled", "ignored"]).count()
        found = state()
        transaction.set_rollback(True)
    assert left == 0
    return found


@pytest.mark.django_db
def test_any_order_ends_in_the_same_state(shop, client):
    ada, bob = shop.customer(), shop.customer()
    for amount in (3000, 2000):
        shop.credit(ada, amount)
    shop.credit(bob, 700)
    shop.bill(ada, 3500)
    voided = shop.bill(ada, 1000, is_paid=False)
    shop.by_hand(bob, -500)
    shop.bill(bob, 1000)
    shop.client.v1.invoices.void_invoice(voided["id"])
    subscription = shop.subscribe(ada.stripe_customer_id, 4990)
    shop.client.v1.subscriptions.cancel(subscription.id)
    gone = shop.client.v1.customers.create({"name": "Gone"})
    shop.client.v1.customers.delete(gone.id)
    events = shop.events()
    expected = handled(client, [each for event in events for each in (event, None)])
    assert [amount for _, amount, _, _ in expected[2]] != []

    @settings(max_examples=12, suppress_health_check=list(HealthCheck), database=None)
    @given(
        st.permutations(events),
        st.lists(st.sampled_from(events), max_size=6),
        st.lists(st.integers(0, len(events)), max_size=3),
    )
    def check(shuffled, again, turns):
        deliveries = [*shuffled, *again]
        for turn in turns:
            deliveries.insert(turn, None)
        assert handled(client, deliveries) == expected

    check()


@pytest.mark.django_db(transaction=True)
def test_two_workers_book_a_use_once(shop):
    customer = shop.customer()
    award = shop.credit(customer, 3000)
    for _ in range(5):
        shop.bill(customer, 500)
    barrier = threading.Barrier(3)

    def work():
        barrier.wait()
        try:
            book_uses([customer.stripe_customer_id], pacing=PACING)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = LedgerEntry.objects.filter(kind="consumed").values_list("award", "amount_minor")
    assert list(found) == [(award.pk, -500)] * 5


@pytest.mark.django_db(transaction=True)
def test_slices_of_two_workers_share_no_event(shop, client):
    customers = [shop.customer() for _ in range(4)]
    for customer in customers:
        shop.bill(customer, 500)
    shop.deliver(client)
    first = claiming.claim()
    assert len(first) == StripeEvent.objects.count()
    assert claiming.claim() == []


@pytest.mark.django_db
def test_what_a_killed_worker_had_in_hand_is_handled_at_once(shop, client):
    customer = shop.customer()
    award = shop.credit(customer, 3000)
    shop.bill(customer, 500)
    shop.deliver(client)
    assert claiming.claim() != []  # and its worker dies
    handling.handle_events()
    assert [row[:2] for row in state()[2]] == [(award.pk, -500)]
    assert not StripeEvent.objects.filter(state="waiting").exists()


@pytest.mark.django_db
def test_use_waits_for_the_outcome_of_a_credit(shop, client):
    customer = shop.customer()
    award = shop.credit(customer, 3000)
    unknown = shop.credit(customer, 2000, is_booked=False)
    shop.bill(customer, 1000)
    bill = shop.bill(customer, 3000)
    shop.deliver(client)
    handling.handle_events()
    assert [row[:2] for row in state()[2]] == [(award.pk, -1000)]
    unknown.state = "issued"
    unknown.save()
    shop.book(unknown)
    book_uses([customer.stripe_customer_id], pacing=PACING)
    assert [row[:2] for row in state()[2] if row[3] == bill["number"]] == [
        (award.pk, -2000),
        (unknown.pk, -1000),
    ]
