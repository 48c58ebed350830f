import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.utils import timezone

from compensation.ledger import GENESIS, NewEntry, balance, entry_hash, record_entries, verify_chain
from compensation.models import LedgerEntry
from tests.compensation.factories import AwardFactory
from tests.customers.factories import CustomerFactory

NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)


def entry(customer, amount_minor=100, **fields):
    return NewEntry(
        **{
            "kind": "credit",
            "customer_id": customer.pk,
            "amount_minor": amount_minor,
            "currency": "EUR",
            "booked_at": NOON,
            **fields,
        }
    )


@pytest.fixture
def customer():
    return CustomerFactory()


@pytest.mark.django_db
def test_record_entries_chains_them(customer):
    first, second = record_entries([entry(customer), entry(customer, 50)])
    (third,) = record_entries([entry(customer, -30, kind="consumed", note="Rechnung Ü-1")])
    assert [each.previous_hash for each in (first, second, third)] == [
        GENESIS,
        first.hash,
        second.hash,
    ]
    assert not list(verify_chain())
    assert record_entries([]) == []


@pytest.mark.django_db
def test_entry_hash_is_as_documented():
    row = LedgerEntry(
        kind="credit",
        customer_id=7,
        award_id=9,
        amount_minor=4990,
        currency="EUR",
        stripe_id="cbtxn_1",
        note="für",
        booked_at=NOON,
        previous_hash=GENESIS,
    )
    text = (
        '{"amount_minor":4990,"award":9,"booked_at":"2026-10-15T12:00:00.000000Z",'
        '"currency":"EUR","customer":7,"kind":"credit","note":"für",'
        f'"previous_hash":"{GENESIS}","stripe_id":"cbtxn_1"}}'
    )
    assert entry_hash(row) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.django_db
def test_ledger_refuses_to_change_or_forget(customer):
    (row,) = record_entries([entry(customer)])
    for change in (
        lambda: LedgerEntry.objects.filter(pk=row.pk).update(amount_minor=1),
        lambda: LedgerEntry.objects.filter(pk=row.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.django_db
def test_record_entries_books_an_award_once(customer):
    award = AwardFactory()
    booked = entry(award.customer, award_id=award.pk)
    record_entries([booked])
    with pytest.raises(IntegrityError), transaction.atomic():
        record_entries([booked])
    assert LedgerEntry.objects.count() == 1


@pytest.mark.django_db
def test_balance_by_currency_and_time(customer):
    day = timedelta(days=1)
    record_entries(
        [
            entry(customer, 4990),
            entry(customer, -1000, kind="consumed", booked_at=NOON + day),
            entry(customer, 700, currency="USD"),
            entry(CustomerFactory(), 1),
        ]
    )
    assert balance(customer, "EUR") == 3990
    assert balance(customer, "USD") == 700
    assert balance(customer, "CHF") == 0
    assert balance(customer, "EUR", as_of=NOON + day) == 3990
    assert balance(customer, "EUR", as_of=NOON + day - timedelta(microseconds=1)) == 4990
    assert balance(customer, "EUR", as_of=NOON - day) == 0


@pytest.mark.django_db(transaction=True)
def test_record_entries_by_many_at_once_stays_one_chain():
    customer = CustomerFactory()
    start = threading.Barrier(6)

    def write(_number):
        start.wait()
        try:
            for _ in range(5):
                record_entries([entry(customer, booked_at=timezone.now()) for _ in range(3)])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert LedgerEntry.objects.count() == 90
    assert not list(verify_chain())
    assert balance(customer, "EUR") == 9000
