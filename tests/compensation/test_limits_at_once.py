"""Decisions at the same moment, each in a connection of its own: no limit is ever exceeded."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.db.models import Sum
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.approval import approve_batch
from compensation.batches import submit_batch
from compensation.budgets import used_minor
from compensation.caps import COUNTED
from compensation.exclusions import exclude_award, include_award
from compensation.gestures import Gesture
from compensation.goodwill import give_goodwill
from compensation.issuing import issue
from compensation.ledger import NewEntry, record_entries
from compensation.models import ApprovalThreshold, Award, Budget, Reversal, ReversalRequest
from compensation.reversing import approve_request, ask_for_award, ask_for_batch, take_back
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, PolicyVersionFactory, activate
from tests.compensation.stories import approve, priced_batch, seed_sandbox, submitted_batch
from tests.customers.factories import SubscriptionFactory
from tests.incidents.factories import IncidentFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    for module in ("approval", "goodwill", "reversing.deciding"):
        monkeypatch.setattr(f"compensation.{module}.wake_issuing", lambda: None)


def at_once(*verbs):
    """Start together; what each did, or how it was refused."""
    barrier = threading.Barrier(len(verbs))

    def run(verb):
        try:
            barrier.wait(timeout=60)
            return verb()
        except (MoveError, ValidationError) as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def refused(results):
    return [each for each in results if isinstance(each, Exception)]


def capped(amount_minor):
    return activate(
        PolicyVersionFactory(cap_amounts={"EUR": amount_minor}, policy__is_default=True)
    )


def counted(customer):
    return Award.objects.filter(COUNTED, customer=customer).aggregate(n=Sum("amount_minor"))["n"]


def give(subscription, amount_minor, key):
    meant = Gesture(
        customer=subscription.customer, benefit="credit", amount_minor=amount_minor,
        currency="EUR", origin="T-1", reason="Sorry", key=key,
    )  # fmt: skip
    person = staff(Role.SUPPORT_AGENT)
    return lambda: give_goodwill(meant, by=person)


def submits(batch):
    person = staff(Role.FINANCE)
    return lambda: submit_batch(batch, by=person)


def approves(batch):
    person = staff(Role.FINANCE_APPROVER)
    return lambda: approve_batch(batch, by=person, digest=batch.digest)


def batches_for(subscription, version, count):
    """Of incidents that began just now: in the period in which goodwill counts, too."""
    batches = [
        priced_batch(
            awards=0, version=version, incident=IncidentFactory(started_at=timezone.now())
        )
        for _ in range(count)
    ]  # fmt: skip
    for batch in batches:
        AwardFactory(batch=batch, subscription=subscription)
    return batches


def test_batches_submitted_at_once_stay_within_the_cap():
    subscription = SubscriptionFactory()
    batches = batches_for(subscription, capped(5000), 3)
    results = at_once(*[submits(batch) for batch in batches])
    assert len(refused(results)) == 2
    assert counted(subscription.customer) == 4990


def test_goodwill_and_batches_at_once_stay_within_the_cap():
    subscription = SubscriptionFactory()
    (batch,) = batches_for(subscription, capped(5000), 1)
    results = at_once(submits(batch), *[give(subscription, 2000, str(n)) for n in range(3)])
    assert counted(subscription.customer) <= 5000
    assert len(refused(results)) in {2, 3}


def test_batches_submitted_at_once_stay_within_the_months_budget():
    Budget.objects.create(span="month", currency="EUR", amount_minor=2 * 4990 + 1)
    batches = [priced_batch() for _ in range(4)]
    results = at_once(*[submits(batch) for batch in batches])
    assert len(refused(results)) == 2
    assert used_minor("EUR", at=timezone.now()) == 2 * 4990


def test_goodwill_and_batches_at_once_stay_within_the_months_budget():
    Budget.objects.create(span="month", currency="EUR", amount_minor=6000)
    gifts = [give(SubscriptionFactory(), 2000, str(n)) for n in range(3)]
    results = at_once(submits(priced_batch()), *gifts)
    # a batch alone, or all the goodwill alone
    assert used_minor("EUR", at=timezone.now()) in {4990, 6000}
    assert len(refused(results)) in {1, 3}


def test_approvers_at_once_of_two_batches_bind_an_award_once():
    """Both were submitted before the incident's rule of one award could tell."""
    first = submitted_batch()
    award = first.awards.get()
    second = priced_batch(awards=0, incident=first.incident)
    AwardFactory(batch=second, subscription=award.subscription)
    second = submit_batch(second, by=staff(Role.FINANCE))
    results = at_once(approves(first), approves(second))
    assert len(refused(results)) == 1
    assert Award.objects.filter(state="approved").count() == 1


@pytest.mark.parametrize(("needed", "refusals"), [(1, 2), (2, 1)])
def test_approvers_at_once_of_one_batch(needed, refusals):
    if needed == 2:
        ApprovalThreshold.objects.create(currency="EUR", amount_minor=1)
    batch = submitted_batch()
    results = at_once(*[approves(batch) for _ in range(3)])
    assert len(refused(results)) == refusals
    batch.refresh_from_db()
    assert (batch.state, batch.approvals.count()) == ("approved", needed)


def test_what_was_priced_before_an_award_was_taken_back_in_is_priced_again():
    subscription = SubscriptionFactory()
    version = capped(5000)
    (mine,) = batches_for(subscription, version, 1)
    AwardFactory(batch=mine)
    submit_batch(mine, by=staff(Role.FINANCE))
    award = mine.awards.get(subscription=subscription)
    exclude_award(award, by=staff(Role.FINANCE), reason="x")
    (other,) = batches_for(subscription, version, 1)
    include_award(award, by=staff(Role.FINANCE))
    with pytest.raises(ValidationError):
        submit_batch(other, by=staff(Role.FINANCE))
    assert counted(subscription.customer) == 4990


def test_award_taken_back_in_while_another_batch_is_submitted():
    subscription = SubscriptionFactory()
    version = capped(5000)
    (mine,) = batches_for(subscription, version, 1)
    AwardFactory(batch=mine)
    submit_batch(mine, by=staff(Role.FINANCE))
    award = mine.awards.get(subscription=subscription)
    exclude_award(award, by=staff(Role.FINANCE), reason="x")
    (other,) = batches_for(subscription, version, 1)
    person = staff(Role.FINANCE)
    results = at_once(submits(other), lambda: include_award(award, by=person))
    assert len(refused(results)) == 1
    assert counted(subscription.customer) == 4990


def issued_award():
    award = AwardFactory(state="issued", batch__state="issued")
    record_entries(
        [
            NewEntry(
                kind="credit",
                customer_id=award.customer_id,
                award_id=award.pk,
                amount_minor=4990,
                currency="EUR",
                booked_at=timezone.now(),
            )
        ]
    )
    return award


def test_reversal_is_asked_for_once():
    award = issued_award()
    words = {"by": staff(Role.FINANCE), "cause": "mistake", "reason": "x"}
    results = at_once(
        *[lambda: ask_for_award(award, **words)] * 2,
        *[lambda: ask_for_batch(award.batch, **words)] * 2,
    )
    assert len(refused(results)) == 3
    assert Reversal.objects.count() == ReversalRequest.objects.count() == 1


def test_reversal_approved_at_once_by_many_is_signed_as_often_as_needed():
    request = ask_for_award(issued_award(), by=staff(Role.FINANCE), cause="mistake", reason="x")
    people = [staff(Role.FINANCE_APPROVER) for _ in range(3)]

    def signs(person):
        return lambda: approve_request(request, by=person, digest=request.digest)

    results = at_once(*[signs(person) for person in people])
    assert len(refused(results)) == 2
    assert Reversal.objects.get().state == "approved"


def test_workers_at_once_take_back_once(issuing):
    batch = priced_batch(awards=3)
    seed_sandbox(issuing, batch)
    approve(batch)
    issue()
    batch.refresh_from_db()
    request = ask_for_batch(batch, by=staff(Role.FINANCE), cause="mistake", reason="x")
    approve_request(request, by=staff(Role.FINANCE_APPROVER), digest=request.digest)
    at_once(*[take_back] * 3)
    take_back()
    assert issuing.totals("amends_reversal")["currencies"]["eur"]["debited_minor"] == 3 * 4990
    assert set(Reversal.objects.values_list("state", flat=True)) == {"done"}
