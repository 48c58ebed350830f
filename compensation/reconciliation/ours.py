"""What our books say of some customers, as plain values that can be compared."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from backoffice.customers.models import Customer
from compensation.models import Award, Finding, LedgerEntry, Reversal
from compensation.models.award import AwardState
from compensation.models.reconciliation import FindingKind
from compensation.models.reversal import ReversalState

# Awards that were never approved are no business of Stripe's.
SENT_STATES = (
    AwardState.APPROVED,
    AwardState.SENDING,
    AwardState.ISSUED,
    AwardState.FAILED,
    AwardState.UNKNOWN,
    AwardState.REVERSED,
)
STANDING = frozenset({AwardState.ISSUED, AwardState.REVERSED})
UNDER_WAY = frozenset({AwardState.SENDING, AwardState.UNKNOWN})
# A reversal's states in an award's words.
_AS_AWARD: dict[str, str] = {
    ReversalState.DONE: AwardState.ISSUED,
    ReversalState.SENDING: AwardState.SENDING,
    ReversalState.UNKNOWN: AwardState.UNKNOWN,
}
# A trial that is over for longer than this is not read again: nothing is left to mend.
TRIAL_STAYS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Claim:
    """A transaction that we say we made, or are about to make, at Stripe.

    `amount_minor` is signed: plus is credit to the customer, minus takes it back. `name` is unique
    among all claims: "award 5", "reversal 3". One that `corrects` a transaction of Stripe's is not
    in our ledger. `overdrawn_minor` is what an invoice had used while it was taken back.
    """

    name: str
    award: int
    amount_minor: int
    currency: str
    account: str
    stripe_id: str
    state: str
    corrects: str = ""
    overdrawn_minor: int = 0

    @property
    def is_standing(self) -> bool:
        return self.state in STANDING

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial end that we set at Stripe's `subscription` for an award."""

    award: int
    subscription: str
    target: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the ledger."""

    kind: str
    award: int | None
    amount_minor: int
    currency: str
    stripe_id: str


@dataclass(frozen=True, slots=True)
class Books:
    """One customer by our books. Two that were read apart are equal if nothing moved between."""

    customer: int
    accounts: tuple[str, ...]
    claims: tuple[Claim, ...]
    trials: tuple[Trial, ...]
    entries: tuple[Entry, ...]

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return tuple(sorted({trial.subscription for trial in self.trials}))

    @property
    def awards(self) -> int:
        """How many awards are compared."""
        return len({claim.award for claim in self.claims} | {trial.award for trial in self.trials})

    def balances(self) -> dict[str, int]:
        """The ledger's sum by currency, in minor units."""
        sums: dict[str, int] = defaultdict(int)
        for entry in self.entries:
            if entry.currency:
                sums[entry.currency] += entry.amount_minor
        return dict(sums)


def read_books(customers: Sequence[int]) -> list[Books]:
    """The books of the customers with these ids, in their order; a constant number of queries."""
    accounts = dict(
        Customer.objects.filter(pk__in=customers).values_list("pk", "stripe_customer_id")
    )
    claims: dict[int, list[Claim]] = defaultdict(list)
    trials: dict[int, list[Trial]] = defaultdict(list)
    watched = _watched_trials(customers)
    for award in _awards(customers):
        if award.benefit == Award.Benefit.CREDIT:
            claims[award.customer_id].append(_credit(award))
        elif _is_watched(award, watched):
            trials[award.customer_id].append(_trial(award))
    for reversal in _reversals(customers):
        claims[reversal.customer_id].append(_debit(reversal))
    entries = _entries(customers)
    return [
        Books(
            customer=customer,
            accounts=_accounts(accounts[customer], claims[customer]),
            claims=tuple(claims[customer]),
            trials=tuple(trials[customer]),
            entries=tuple(entries[customer]),
        )
        for customer in customers
        if customer in accounts
    ]


def _awards(customers: Sequence[int]) -> Iterable[Award]:
    return (
        Award.objects.filter(customer__in=customers, state__in=SENT_STATES)
        .exclude(benefit=Award.Benefit.PRIORITY)
        .exclude(destination="")
        .only(
            "customer_id", "benefit", "state", "amount_minor", "currency", "destination",
            "stripe_id", "trial_end_target",
        )
        .order_by("id")
    )  # fmt: skip


def _credit(award: Award) -> Claim:
    return Claim(
        name=f"award {award.pk}",
        award=award.pk,
        amount_minor=award.amount_minor,
        currency=award.currency,
        account=award.destination,
        stripe_id=award.stripe_id,
        state=award.state,
    )


def _reversals(customers: Sequence[int]) -> Iterable[Reversal]:
    asked = (ReversalState.ASKED, ReversalState.DROPPED)
    return (
        Reversal.objects.filter(award__customer__in=customers, amount_minor__gt=0)
        .exclude(state__in=asked)
        .select_related("award")
        .order_by("id")
    )


def _debit(reversal: Reversal) -> Claim:
    state = ReversalState(reversal.state)
    return Claim(
        name=f"reversal {reversal.pk}",
        award=reversal.award_id,
        amount_minor=-reversal.amount_minor,
        currency=reversal.currency,
        account=reversal.award.destination,
        stripe_id=reversal.stripe_id,
        state=_AS_AWARD.get(state, state),
        corrects=reversal.corrects,
        overdrawn_minor=reversal.overdrawn_minor,
    )


def _trial(award: Award) -> Trial:
    if award.trial_end_target is None:
        raise ValueError(f"Award {award.pk} extends a trial without a date.")
    return Trial(award.pk, award.destination, award.trial_end_target)


def _is_watched(award: Award, watched: set[int]) -> bool:
    if award.state != AwardState.ISSUED or award.trial_end_target is None:
        return False
    return award.trial_end_target > timezone.now() - TRIAL_STAYS or award.pk in watched


def _watched_trials(customers: Sequence[int]) -> set[int]:
    """Awards whose trial was found to differ: looked at until it doesn't."""
    findings = Finding.objects.filter(
        customer__in=customers, kind=FindingKind.TRIAL, state__in=["open", "acknowledged"]
    )
    return set(findings.filter(~Q(award=None)).values_list("award", flat=True))


def _entries(customers: Sequence[int]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = defaultdict(list)
    rows = LedgerEntry.objects.filter(customer__in=customers).order_by("id")
    for customer, kind, award, amount_minor, currency, stripe_id in rows.values_list(
        "customer_id", "kind", "award_id", "amount_minor", "currency", "stripe_id"
    ):
        found[customer].append(Entry(kind, award, amount_minor, currency, stripe_id))
    return found


def _accounts(linked: str | None, claims: Iterable[Claim]) -> tuple[str, ...]:
    """The customer's accounts at Stripe: as linked now, and where awards went before."""
    return tuple(sorted(({linked or ""} | {claim.account for claim in claims}) - {""}))
