"""The count would tell: each kind of loss and doubling is planted, and found."""

import pytest
from django.utils import timezone

from compensation.ledger import NewEntry, record_entries
from compensation.models import Award
from tests.chaos.counting import count
from tests.chaos.world import Owed
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.compensation.stories import seed_sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def award(stripe_sandbox):
    """Issued in our books, and not yet at Stripe."""
    batch = BatchFactory()
    award = AwardFactory(batch=batch, state="issued")
    award.destination = award.customer.stripe_customer_id
    seed_sandbox(stripe_sandbox, batch)
    return award


@pytest.fixture
def book(award, stripe_sandbox):
    """At Stripe, under our award's number or another; and in the ledger, as if it were the one."""

    def booked(*, amount=-4990, number=None):
        transaction = stripe_sandbox.client().v1.customers.balance_transactions.create(
            award.destination,
            {"amount": amount, "currency": "eur", "metadata": {"award": number or str(award.pk)}},
        )
        award.stripe_id = award.stripe_id or transaction.id

    return booked


@pytest.fixture
def counted(award, stripe_sandbox_process):
    def result(*, is_refused=False, in_ledger=True):
        award.save(update_fields=["state", "stripe_id", "error_message"])
        if in_ledger:
            entry = NewEntry(
                kind="credit", customer_id=award.customer_id, award_id=award.pk,
                amount_minor=4990, currency="EUR", stripe_id=award.stripe_id,
                booked_at=timezone.now(),
            )  # fmt: skip
            record_entries([entry])
        owed = Owed(award.pk, "credit", award.destination, 4990, "EUR", 0, is_refused)
        return count(stripe_sandbox_process.state, [owed])

    return result


def test_what_is_right_is_counted_as_right(book, counted):
    book()
    found = counted()
    assert found.is_ok
    assert found.line(kills=20, seconds=61.4) == (
        "awards=1 issued=1 failed=0 unknown=0 lost=0 doubled=0 kills=20 seconds=61"
    )


def test_issued_in_our_books_only_is_lost(counted):
    found = counted()
    assert (found.lost, found.doubled, found.is_ok) == (1, 0, False)


@pytest.mark.parametrize("amount", [-4991, 4990])
def test_another_amount_is_lost(book, counted, amount):
    book(amount=amount)
    assert counted().lost == 1


def test_twice_at_stripe_is_doubled(book, counted):
    book()
    book()
    found = counted()
    assert (found.lost, found.doubled, found.is_ok) == (0, 1, False)


@pytest.mark.parametrize("state", ["approved", "sending", "failed"])
def test_at_stripe_but_not_in_our_books_is_lost(award, book, counted, state):
    book()
    award.state = state
    sent = {"idempotency_key": "key", "parameters_hash": "hash", "first_sent_at": timezone.now()}
    Award.objects.filter(pk=award.pk).update(**sent)
    found = counted(in_ledger=False)
    assert (found.lost, found.issued, found.is_ok) == (1, 0, False)


def test_given_although_refused_is_doubled(award, book, counted):
    book()
    award.state = "failed"
    found = counted(is_refused=True, in_ledger=False)
    assert (found.lost, found.doubled) == (0, 1)


def test_of_no_award_is_doubled(book, counted):
    book()
    book(number="0")
    assert counted().doubled == 1


def test_missing_in_the_ledger_is_a_problem(book, counted):
    book()
    found = counted(in_ledger=False)
    assert (found.lost, found.doubled, found.is_ok) == (0, 0, False)


@pytest.mark.parametrize(("words", "is_ok"), [("Stripe has it more than once.", True), ("", False)])
def test_unknown_needs_its_reason(award, counted, words, is_ok):
    award.state, award.error_message = "unknown", words
    found = counted(in_ledger=False)
    assert (found.unknown, found.lost, found.is_ok) == (1, 0, is_ok)
