"""Whatever the order of uses, news of them and reversals: never more is taken than is left.

Stripe's balance is kept in memory here; everything on our side of the wire is real.
"""

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation import stripe_calls
from compensation.ledger import NewEntry, record_entries, wait_for_other_writers
from compensation.models import LedgerEntry
from compensation.remaining import consumable, remaining
from compensation.reversing import approve_request, ask_for_award, take_back
from compensation.stripe_calls import Balance, Done
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory
from tests.customers.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db


class Account:
    """One customer's balance at Stripe, and the uses that we have not heard of yet."""

    def __init__(self, amounts):
        subscription = SubscriptionFactory()
        self.awards = [
            AwardFactory(
                batch=None, source="goodwill", state="issued", amount_minor=amount,
                subscription=subscription, destination=subscription.customer.stripe_customer_id,
            )
            for amount in amounts
        ]  # fmt: skip
        self.ids = [award.pk for award in self.awards]
        for award in self.awards:
            self.book(award.pk, "credit", award.amount_minor)
        self.credit = self.given = sum(amounts)
        self.unheard = []
        self.used = self.taken = self.number = 0

    def book(self, award, kind, amount_minor):
        customer = self.awards[0].customer_id
        record_entries(
            [
                NewEntry(
                    kind=kind, customer_id=customer, award_id=award, amount_minor=amount_minor,
                    currency="EUR", booked_at=timezone.now(),
                )
            ]
        )  # fmt: skip

    def read(self, _client, customer):
        return Balance(customer, -self.credit, "eur")

    def take(self, _client, _customer, params, *, key):
        assert key
        self.credit -= params["amount"]
        self.taken += params["amount"]
        self.number += 1
        return Done(f"cbtxn_{self.number}", balance=-self.credit)

    def use(self, amount):
        amount = min(amount, self.credit)
        self.credit -= amount
        self.used += amount
        self.unheard.append(amount)

    def hear(self):
        """Book the uses first in, first out, as far as our credits reach."""
        for amount in self.unheard:
            rest = amount
            wait_for_other_writers()
            for award, left in consumable(self.ids).items():
                if part := min(left, rest):
                    self.book(award, "consumed", -part)
                    rest -= part
            assert rest == 0
        self.unheard = []

    def ask(self, which):
        award = self.awards[which % len(self.awards)]
        try:
            request = ask_for_award(award, by=self.asker, cause="mistake", reason="x")
        except MoveError:
            return
        approve_request(request, by=self.approver, digest=request.digest)

    def check(self):
        assert self.credit >= 0
        assert self.taken + self.used <= self.given
        left = remaining(self.ids)
        assert all(minor >= 0 for minor in left.values()), left
        assert sum(left.values()) == self.credit + sum(self.unheard)


@pytest.fixture
def people(monkeypatch, settings):
    monkeypatch.setattr("compensation.reversing.deciding.wake_issuing", lambda: None)
    settings.STRIPE_CALLS_PER_SECOND = 1000.0
    settings.STRIPE_CALLS_IN_FLIGHT = 2
    return staff(Role.FINANCE), staff(Role.FINANCE_APPROVER)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("use"), st.integers(1, 6000)),
        st.tuples(st.just("hear")),
        st.tuples(st.just("ask"), st.integers(0, 2)),
        st.tuples(st.just("run")),
    ),
    max_size=12,
)


@hypothesis_settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(amounts=st.lists(st.integers(1, 5000), min_size=1, max_size=3), steps=STEPS)
def test_never_more_is_taken_than_given_less_used(monkeypatch, people, amounts, steps):
    account = Account(amounts)
    account.asker, account.approver = people
    monkeypatch.setattr(stripe_calls, "read_balance", account.read)
    monkeypatch.setattr(stripe_calls, "create_credit", account.take)
    do = {
        "use": account.use,
        "hear": account.hear,
        "ask": account.ask,
        "run": take_back,
    }
    for name, *arguments in [*steps, ("hear",), ("run",)]:
        do[name](*arguments)
        account.check()
    entries = LedgerEntry.objects.filter(award__in=account.ids, kind="reversal")
    assert -sum(entries.values_list("amount_minor", flat=True)) == account.taken
