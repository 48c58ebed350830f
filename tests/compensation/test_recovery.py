"""What a killed issuer leaves behind, and outcomes that nobody answered for a day."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from compensation import stripe_calls
from compensation.digests import batch_digest
from compensation.issuing import has_work, issue
from compensation.issuing.bucket import TokenBucket
from compensation.issuing.claiming import claim, reclaim
from compensation.issuing.control import start_batches
from compensation.issuing.sending import NotSent, Sender
from compensation.issuing.writing import Troubled, give_back, write_failed, write_unknown
from compensation.models import Award, Batch, LedgerEntry
from tests.compensation.stories import change_behind_our_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def left(batch):
    """An award that an issuer claimed before it was killed, with its order; the rest is issued."""
    start_batches()
    (order,) = claim(batch.pk, limit=1)
    return order


def send(order):
    done = stripe_calls.create_credit(
        stripe_calls.stripe_client(), order.destination, order.parameters, key=order.key
    )
    assert isinstance(done, stripe_calls.Done)
    return done.stripe_id


def aged(order, hours):
    Award.objects.filter(pk=order.award).update(
        first_sent_at=timezone.now() - timedelta(hours=hours)
    )


def of(order):
    return Award.objects.get(pk=order.award)


def credits_at_stripe(sandbox, order):
    return sandbox.totals("award")["currencies"]["eur"]["credits"]


def test_claim_commits_key_hash_and_time_first(left):
    award = of(left)
    assert award.state == "sending"
    assert award.idempotency_key == left.key
    assert award.parameters_hash == left.parameters_hash()
    assert award.first_sent_at == left.first_sent_at
    assert has_work()


@pytest.mark.parametrize("was_sent", [False, True])
def test_recovery_sends_the_same_key_again(left, issuing, was_sent):
    stripe_id = send(left) if was_sent else None
    assert issue().issued == 5
    award = of(left)
    assert (award.state, award.idempotency_key, award.attempt) == ("issued", left.key, 1)
    assert stripe_id in {None, award.stripe_id}
    assert credits_at_stripe(issuing, left) == 5
    assert LedgerEntry.objects.count() == 5


@pytest.mark.parametrize("hours", [22, 24])
def test_recovery_adopts_what_is_booked_at_any_age(left, issuing, hours):
    stripe_id = send(left)
    if hours > 23:
        issuing.advance(25 * 3600)  # Stripe has forgotten the key: sending it would pay twice
    aged(left, hours)
    issue()
    award = of(left)
    assert (award.state, award.stripe_id, award.attempt) == ("issued", stripe_id, 1)
    assert credits_at_stripe(issuing, left) == 5
    assert award.ledger_entries.get().stripe_id == stripe_id


def test_recovery_after_a_day_sends_what_is_absent_under_a_new_key(left, issuing):
    aged(left, 24)
    issue()
    award = of(left)
    assert (award.state, award.attempt) == ("issued", 2)
    assert award.idempotency_key != left.key
    assert timezone.now() - award.first_sent_at < timedelta(minutes=1)
    assert credits_at_stripe(issuing, left) == 5


def test_recovery_reads_all_pages(left, issuing):
    stripe_id = send(left)
    client = issuing.client()
    for _ in range(101):
        client.v1.customers.balance_transactions.create(
            left.destination, {"amount": -1, "currency": "eur"}
        )
    aged(left, 24)
    issue()
    assert (of(left).state, of(left).stripe_id) == ("issued", stripe_id)


@pytest.mark.parametrize("how", ["another amount", "more than once", "Stripe does not show"])
def test_recovery_leaves_to_a_person_what_cannot_be_proved(left, batch, issuing, how):
    client = issuing.client()
    metadata = {"award": str(left.award)}
    if how == "Stripe does not show":
        client.v1.customers.delete(left.destination)
    else:
        amounts = [-1] if how == "another amount" else [-4990, -4990]
        for amount in amounts:
            client.v1.customers.balance_transactions.create(
                left.destination, {"amount": amount, "currency": "eur", "metadata": metadata}
            )
    aged(left, 24)
    tally = issue()
    assert (tally.issued, tally.unknown) == (4, 1)
    award = of(left)
    assert (award.state, award.error_code) == ("unknown", "unprovable")
    assert how in award.error_message
    batch.refresh_from_db()
    assert batch.state == "issuing"
    assert not award.ledger_entries.exists()
    assert not has_work()


def test_absence_proves_nothing_while_a_call_may_be_at_work(left, issuing):
    """The first call is slow, the next ones are turned away at the door: Stripe lists nothing."""
    posted = {"path": left.path, "method": "POST"}
    issuing.faults(
        {"kind": "delay", "delay_ms": 4000, "where": "before", "count": 1, **posted},
        {"kind": "error_503", "after_n": 1, "count": 4, **posted},
    )
    issue()
    assert [rule["fired"] for rule in issuing.faults()] == [1, 4]
    assert (of(left).state, of(left).attempt, of(left).idempotency_key) == ("issued", 1, left.key)
    assert credits_at_stripe(issuing, left) == 5


@pytest.mark.parametrize(("minutes", "is_proof"), [(9, False), (10, True)])
def test_absence_is_proof_once_the_last_call_must_have_ended(left, minutes, is_proof):
    end_of_key = left.first_sent_at + timedelta(hours=23)
    assert left.absence_is_proof(end_of_key + timedelta(minutes=minutes)) == is_proof


def sender():
    return Sender(stripe_calls.stripe_client(), TokenBucket(500), lambda _order: False)


def test_sleeping_machine_does_not_send_what_it_sent_a_day_ago(left, issuing):
    """It wakes with the order in hand, whose answer it never had: the list is asked instead."""
    stripe_id = send(left)
    issuing.advance(25 * 3600)
    old = replace(left, is_fresh=False, first_sent_at=timezone.now() - timedelta(hours=25))
    assert sender().send(old) == stripe_calls.Done(stripe_id)
    assert credits_at_stripe(issuing, left) == 1


def test_sleeping_machine_gives_back_what_it_never_sent(left, issuing):
    old = replace(left, first_sent_at=timezone.now() - timedelta(hours=25))
    assert sender().send(old) == NotSent()
    assert issuing.totals()["requests"] == 0


def test_what_was_given_back_is_as_old_as_its_key(left, issuing):
    """Its issuer had lost the lock and did not know that another one had sent it meanwhile."""
    stripe_id = send(left)
    give_back([left])
    assert (of(left).state, of(left).first_sent_at) == ("approved", left.first_sent_at)
    issuing.advance(25 * 3600)
    aged(left, 25)
    issue()
    assert (of(left).state, of(left).stripe_id, of(left).attempt) == ("issued", stripe_id, 1)
    assert credits_at_stripe(issuing, left) == 5


@pytest.mark.parametrize("write", [write_failed, write_unknown])
def test_trouble_of_an_old_key_does_not_touch_the_new_one(left, write):
    """Another issuer has taken the award over and sends it under its own key."""
    fresh = reclaim(left)
    assert write([Troubled(left.award, left.key, "resource_missing", "No such customer")]) == 0
    assert of(left).state == "sending"
    assert write([Troubled(left.award, fresh.key, "resource_missing", "No such customer")]) == 1


def test_recovery_never_sends_other_parameters_under_a_used_key(left, batch, issuing):
    """Not even when somebody who can write everything made the signatures fit."""
    signed = batch.digest
    change_behind_our_back(of(left), amount_minor=1)
    Batch.objects.filter(pk=batch.pk).update(digest=batch_digest(batch))
    batch.approvals.update(digest=batch_digest(batch))
    assert signed != batch_digest(batch)
    issue()
    award = of(left)
    assert (award.state, award.error_code) == ("unknown", "other_parameters")
    assert credits_at_stripe(issuing, left) == 4


def test_recovery_of_a_key_that_stripe_knows_for_something_else(left, issuing):
    """Never ours, so nothing is booked: the list shows it, and a new key is used."""
    issuing.client().v1.customers.balance_transactions.create(
        left.destination, {"amount": -1, "currency": "eur"}, {"idempotency_key": left.key}
    )
    issue()
    award = of(left)
    assert (award.state, award.attempt) == ("issued", 2)
    assert issuing.totals("award")["by_metadata"]["credited"] == 5
