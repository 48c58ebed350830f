"""Random books with random differences: exactly those come out, and every cent is explained."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compensation.reconciliation.comparing import compare
from compensation.reconciliation.ours import Books, Claim, Entry, Trial
from compensation.reconciliation.theirs import Seen
from compensation.stripe_calls import Subscription, Transaction

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACCOUNT = "cus_1"
AMOUNTS = st.integers(1, 1_000_000)


@dataclass
class Story:
    """One customer's credits and uses as they come, told to both books, sometimes wrongly."""

    claims: list[Claim] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)
    unbooked: set[str] = field(default_factory=set)
    left: int = 0
    waits: bool = False

    def book(self, amount, kind="adjustment", **metadata):
        balance = self.transactions[-1].ending_balance if self.transactions else 0
        self.transactions.append(
            Transaction(
                stripe_id=f"cbtxn_{len(self.transactions)}",
                amount=amount,
                currency="eur",
                metadata=metadata,
                kind=kind,
                created=int((NOW - timedelta(days=1)).timestamp()),
                ending_balance=balance + amount,
                invoice="in_1" if kind == "applied_to_invoice" else "",
            )
        )
        return self.transactions[-1].stripe_id

    def award(self, amount, what, by_name):
        number = len(self.claims) + 1
        state = {"sending": "sending", "sent": "unknown", "failed": "failed"}.get(what, "issued")
        stripe_id = "cbtxn_elsewhere"
        is_booked = what not in {"missing", "sending", "failed"}
        if is_booked:
            more = 5 if what == "amount" else 0
            made = self.book(-amount - more, award=str(number) if by_name else "0")
            stripe_id = f"{made}_other" if by_name else made
            if what == "sent" and not by_name:
                stripe_id = made
        self.claims.append(
            Claim(f"award {number}", number, amount, "EUR", ACCOUNT, stripe_id, state)
        )
        self.waits |= what == "sent"
        if state == "issued":
            self.entries.append(Entry("credit", number, amount, "EUR", stripe_id))
            self.left += amount if what != "missing" else 0
        if what == "missing":
            self.expected.add(f"missing:award {number}")
        if what == "amount":
            self.expected.add(f"amount:{made}")
        if what == "doubled":
            self.expected.add(f"doubled:{self.book(-amount, award=str(number))}")

    def by_hand(self, amount):
        self.expected.add(f"unknown:{self.book(amount)}")

    def use(self, amount, forgotten):
        used = self.book(amount, kind="applied_to_invoice")
        right = min(amount, max(self.left, 0))
        booked = right - min(forgotten, right)
        self.left -= booked
        if booked:
            self.entries.append(Entry("consumed", 1, -booked, "EUR", used))
        if booked != right:
            (self.unbooked if not booked else self.expected).add(f"consumption:{used}")

    def fee(self, amount):
        self.book(amount, kind="invoice_too_small")

    def compare(self):
        books = Books(1, (ACCOUNT,), tuple(self.claims), (), tuple(self.entries))
        seen = Seen(transactions={ACCOUNT: self.transactions[::-1]})
        return compare(books, seen, now=NOW)


EVENTS = st.one_of(
    st.tuples(
        st.just("award"),
        AMOUNTS,
        st.sampled_from(
            ["right"] * 5 + ["missing", "amount", "doubled", "sending", "sent", "failed"]
        ),
        st.booleans(),
    ),
    st.tuples(st.just("by_hand"), AMOUNTS.flatmap(lambda n: st.sampled_from([n, -n]))),
    st.tuples(st.just("use"), AMOUNTS, st.sampled_from([0, 0, 0, 1, 10**9])),
    st.tuples(st.just("fee"), AMOUNTS),
)


@given(st.lists(EVENTS, max_size=12), st.sampled_from([0, 0, 0, 7, -3]))
def test_exactly_what_was_planted_comes_out(events, off):
    story = Story()
    for name, *arguments in events:
        getattr(story, name)(*arguments)
    if off and story.transactions:
        newest = story.transactions[-1]
        balance = newest.ending_balance + off
        story.transactions[-1] = Transaction(
            newest.stripe_id, newest.amount, "eur", newest.metadata, newest.kind, newest.created,
            balance, newest.invoice,
        )  # fmt: skip
        story.expected.add("balance:1:EUR")
    if not story.waits:  # for the outcome of a credit, which may be the one that was used
        story.expected |= story.unbooked
    comparison = story.compare()
    found = [each.identity for each in comparison.differences]
    assert len(found) == len(set(found))
    assert set(found) == story.expected
    for line in comparison.lines.values():
        assert line.unexplained == 0
    assert story.compare() == comparison


@given(st.integers(-40, 40), st.sampled_from(["trialing", "active", "canceled"]))
def test_trial_that_ends_earlier_is_found_unless_the_subscription_is_over(days, status):
    target = NOW + timedelta(days=30)
    earlier = Trial(4, "sub_1", target - timedelta(days=3))
    books = Books(1, (ACCOUNT,), (), (earlier, Trial(5, "sub_1", target)), ())
    end = int((target + timedelta(days=days)).timestamp())
    shown = Subscription("sub_1", status, end if status == "trialing" else None, {}, end)
    seen = Seen(transactions={ACCOUNT: []}, subscriptions={"sub_1": shown})
    found = [each.identity for each in compare(books, seen, now=NOW).differences]
    assert found == (["trial:award 5"] if days < 0 and status != "canceled" else [])


@pytest.mark.parametrize(("age_minutes", "kinds"), [(1, []), (60, ["consumption"])])
def test_use_of_a_moment_ago_is_under_way(settings, age_minutes, kinds):
    settings.RECONCILIATION_GRACE_SECONDS = 900
    story = Story()
    story.award(1000, "right", by_name=True)
    story.use(400, 10**9)
    used = story.transactions[-1]
    created = int((NOW - timedelta(minutes=age_minutes)).timestamp())
    story.transactions[-1] = Transaction(
        used.stripe_id, 400, "eur", {}, used.kind, created, used.ending_balance, used.invoice
    )
    comparison = story.compare()
    assert [each.kind for each in comparison.differences] == kinds
    line = comparison.lines["EUR"]
    assert (line.ours, line.stripe, line.unexplained) == (1000, 600, 0)
    assert line.found + line.under_way == -400


def test_booking_that_was_corrected_is_no_finding():
    story = Story()
    story.award(1000, "doubled", by_name=True)
    (doubled,) = {each.partition(":")[2] for each in story.expected}
    debit = story.book(1000, amends_reversal="3", award="1")
    story.claims.append(
        Claim("reversal 3", 1, -1000, "EUR", ACCOUNT, debit, "issued", corrects=doubled)
    )
    comparison = story.compare()
    assert comparison.differences == []
    assert comparison.lines["EUR"].difference == 0
    story.transactions.pop()
    found = {each.identity: each.difference_minor for each in story.compare().differences}
    assert found == {"missing:reversal 3": 1000}


def test_what_an_invoice_used_while_it_was_taken_back_is_explained():
    story = Story()
    story.award(1000, "right", by_name=True)
    story.book(600, kind="applied_to_invoice")
    debit = story.book(1000, amends_reversal="3", award="1")
    story.claims.append(
        Claim("reversal 3", 1, -1000, "EUR", ACCOUNT, debit, "issued", overdrawn_minor=600)
    )
    story.entries.append(Entry("reversal", 1, -1000, "EUR", debit))
    comparison = story.compare()
    assert comparison.differences == []
    line = comparison.lines["EUR"]
    assert (line.ours, line.stripe, line.not_ours) == (0, -600, -600)


@pytest.mark.parametrize("state", ["approved", "sending", "unknown"])
def test_what_is_issued_again_is_under_way(state):
    story = Story()
    story.award(1000, "missing", by_name=True)
    (lost,) = story.claims
    story.claims = [replace(lost, state=state)]
    comparison = story.compare()
    assert comparison.differences == []
    assert comparison.lines["EUR"].under_way == -1000
