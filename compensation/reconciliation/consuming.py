"""Whether our ledger knows what invoices have used of our credits.

Stripe has one balance for a customer, whoever filled it. Ours is used first: of what an invoice
takes, as much as is left of our credits is booked to them; the rest was others' credit and is none
of our business.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.conf import settings

from compensation.models.reconciliation import FindingKind as Kind
from compensation.reconciliation.differences import Comparison, Difference
from compensation.reconciliation.matching import Matches, is_use
from compensation.reconciliation.ours import Books, Claim
from compensation.reconciliation.theirs import Seen
from compensation.stripe_calls import Transaction


def compare_uses(
    comparison: Comparison, books: Books, seen: Seen, matches: Matches, *, now: datetime
) -> None:
    """Each use that is not booked as it should be; what is only just used is under way."""
    booked = _booked(books)
    for account, found in seen.transactions.items():
        pool = _pool(account, books, matches)
        for each in reversed(found):
            if is_use(each):
                difference = _compare_use(
                    comparison, pool, each, booked.pop(each.stripe_id, 0), now
                )
                if difference is not None:
                    comparison.differ(replace(difference, stripe_customer=account))
            else:
                pool.fill(each)
    if not seen.refused.keys() & set(books.accounts):
        for stripe_id, amount_minor in sorted(booked.items()):
            currency = next(e.currency for e in books.entries if e.stripe_id == stripe_id)
            comparison.differ(
                Difference(
                    identity=f"{Kind.CONSUMPTION}:{stripe_id}",
                    kind=Kind.CONSUMPTION,
                    customer=books.customer,
                    stripe_id=stripe_id,
                    stripe_customer=books.accounts[0] if books.accounts else "",
                    currency=currency,
                    ours_minor=-amount_minor,
                    detail="Our ledger says an invoice used this; Stripe has no such transaction.",
                )
            )


@dataclass(slots=True)
class _Pool:
    """What is left of our credits in one account, as Stripe's transactions go by, oldest first.

    `ours` says which of them are claims of ours; `missing` is what our ledger has and Stripe has
    not, by currency: uses may be booked to it or not; so may what was `overdrawn` by a reversal,
    as an invoice was quicker.
    """

    ours: dict[str, Claim]
    missing: dict[str, int]
    overdrawn: dict[str, int]
    waits: bool = False
    left: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    of_invoice: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def fill(self, each: Transaction) -> None:
        """Ours by our ledger's amount: that is what can be used up there."""
        if claim := self.ours.get(each.stripe_id):
            self.left[claim.currency] += claim.amount_minor

    def expected(self, each: Transaction, booked: int) -> int:
        """How much of a use should be booked; `booked` itself if that is right."""
        currency = each.currency.upper()
        if each.amount < 0:
            return -min(-each.amount, max(self.of_invoice[each.invoice], 0))
        left = max(self.left[currency], 0)
        least = max(min(each.amount, left) - self.overdrawn[currency], 0)
        most = min(each.amount, max(left + self.missing[currency], least))
        return min(max(booked, least), most)

    def use(self, each: Transaction, booked: int) -> None:
        self.left[each.currency.upper()] -= booked
        self.of_invoice[each.invoice] += booked


def _pool(account: str, books: Books, matches: Matches) -> _Pool:
    pool = _Pool({}, defaultdict(int), defaultdict(int))
    for claim in books.claims:
        # what is used of a credit whose outcome is open is booked when that is known
        pool.waits |= claim.is_under_way and bool(matches.of_claim.get(claim.name))
        if not claim.is_standing or claim.account != account or claim.corrects:
            continue
        pool.overdrawn[claim.currency] += claim.overdrawn_minor
        if found := matches.of_claim.get(claim.name):
            pool.ours[found[0].stripe_id] = claim
        else:
            pool.missing[claim.currency] += claim.amount_minor
    return pool


def _compare_use(
    comparison: Comparison, pool: _Pool, each: Transaction, booked: int, now: datetime
) -> Difference | None:
    expected = pool.expected(each, booked)
    pool.use(each, booked)
    currency = each.currency.upper()
    comparison.lines[currency].not_ours -= each.amount - expected
    if expected == booked:
        return None
    is_fresh = abs(now.timestamp() - each.created) < settings.RECONCILIATION_GRACE_SECONDS
    if is_fresh or (pool.waits and not booked):
        comparison.lines[currency].under_way -= expected - booked
        return None
    knows = "has booked too high" if abs(booked) > abs(expected) else "does not know of"
    return Difference(
        identity=f"{Kind.CONSUMPTION}:{each.stripe_id}",
        kind=Kind.CONSUMPTION,
        customer=comparison.customer,
        stripe_id=each.stripe_id,
        currency=currency,
        ours_minor=-booked,
        stripe_minor=-expected,
        detail=f"Invoice {each.invoice or '?'} used credit of ours that our ledger {knows}.",
    )


def _booked(books: Books) -> dict[str, int]:
    """What our ledger says each of Stripe's transactions used; minus where it was given back."""
    booked: dict[str, int] = defaultdict(int)
    for entry in books.entries:
        if entry.kind == "consumed" and entry.stripe_id:
            booked[entry.stripe_id] -= entry.amount_minor
    return booked
