from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compensation.balances import Balance, Sums, balances_before, sums_before
from compensation.ledger import NewEntry, balance, record_entries
from tests.customers.factories import CustomerFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)
LATER = NOON + timedelta(microseconds=1)


def book(customer, amount_minor, **fields):
    entry = {"kind": "credit", "currency": "EUR", "booked_at": NOON, **fields}
    record_entries([NewEntry(customer_id=customer.pk, amount_minor=amount_minor, **entry)])


@pytest.fixture
def customers():
    first, second, third = CustomerFactory.create_batch(3)
    book(first, 5000)
    book(first, -1200, kind="consumed")
    book(first, -300, kind="reversal")
    book(first, 700, currency="USD")
    book(second, 100)
    book(second, -100, kind="consumed")
    book(third, 40)
    book(third, 0, kind="trial")
    book(third, 9, booked_at=LATER)
    return first, second, third


def told(**asked):
    asked = {"moment": LATER, **asked}
    return [(b.customer_id, b.currency, b.amount_minor) for b in balances_before(**asked)]


def test_balances_of_each(customers):
    first, _second, third = customers
    assert next(balances_before(LATER)) == Balance(
        first.pk, first.reference, first.name, "EUR", 3500
    )
    assert told() == [
        (first.pk, "EUR", 3500),
        (first.pk, "USD", 700),
        (third.pk, "EUR", 40),
    ]
    assert told(moment=NOON) == []
    assert told(moment=NOON + timedelta(days=1))[-1] == (third.pk, "EUR", 49)
    for customer_id, currency, amount in told():
        held = next(each for each in customers if each.pk == customer_id)
        assert balance(held, currency, as_of=NOON) == amount


def test_balances_of_one_and_page_by_page(customers):
    first, second, third = customers
    assert told(customer=third.reference) == [(third.pk, "EUR", 40)]
    assert told(customer=first.stripe_customer_id)[0][0] == first.pk
    assert told(customer=second.reference) == told(customer="nobody") == []
    assert told(limit=1) == [(first.pk, "EUR", 3500)]
    assert told(after=first.pk) == [(third.pk, "EUR", 40)]


def test_sums_of_all(customers):
    assert sums_before(LATER) == [
        Sums("EUR", 5140, -300, -1300, 3540, 6),
        Sums("USD", 700, 0, 0, 700, 1),
    ]
    assert sums_before(NOON) == []


def test_one_query_however_many(customers):
    with CaptureQueriesContext(connection) as queries:
        list(balances_before(LATER))
        sums_before(LATER)
    assert len(queries) == 2
