"""Which transaction at Stripe is which of ours."""

from collections import defaultdict
from dataclasses import dataclass, field

from compensation.reconciliation.ours import Books
from compensation.reconciliation.theirs import Seen
from compensation.stripe_calls import Transaction

# Transactions that a person or a program made; the others Stripe makes by itself
# (https://docs.stripe.com/api/customer_balance_transactions/object, `type`).
BOOKINGS = frozenset({"adjustment", "initial", "migration"})
USES = frozenset({"applied_to_invoice", "unapplied_from_invoice"})


@dataclass(slots=True)
class Matches:
    """Each booking at Stripe: of a claim (the right one first), or unknown, with its account.

    `corrected` says how much of a booking was taken back because it was too much, in minor units.
    """

    of_claim: dict[str, list[Transaction]] = field(default_factory=lambda: defaultdict(list))
    unknown: list[tuple[str, Transaction]] = field(default_factory=list)
    corrected: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def is_booking(each: Transaction) -> bool:
    return each.kind in BOOKINGS


def is_use(each: Transaction) -> bool:
    return each.kind in USES


def match(books: Books, seen: Seen) -> Matches:
    """By the id that Stripe answered with, or else by what we wrote into the metadata."""
    matches = Matches()
    by_id = {claim.stripe_id: claim for claim in books.claims if claim.stripe_id}
    by_name = {claim.name: claim for claim in books.claims}
    for account, found in seen.transactions.items():
        # oldest first: of two that say the same the first was meant
        for each in filter(is_booking, reversed(found)):
            claim = by_id.get(each.stripe_id) or by_name.get(named(each))
            if claim is None or claim.account != account:
                matches.unknown.append((account, each))
            else:
                matches.of_claim[claim.name].append(each)
    for claim in by_id.values():
        matches.of_claim[claim.name].sort(key=lambda each: each.stripe_id != claim.stripe_id)
    for one in books.claims:
        if one.corrects and one.is_standing:
            matches.corrected[one.corrects] -= one.amount_minor
    return matches


def named(each: Transaction) -> str:
    """The name of the claim that a transaction's metadata speaks of."""
    if reversal := each.metadata.get("amends_reversal"):
        return f"reversal {reversal}"
    return f"award {each.metadata.get('award', '')}"
