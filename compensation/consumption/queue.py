"""First in, first out: which of a customer's credits an invoice used. Pure, per currency.

Stripe keeps one balance, whoever filled it. Of what an invoice takes, our credits are used first,
the oldest one first; only what is beyond them was credit that somebody made by hand, and that is
booked to no award (docs/decisions/0017-invoices-use-our-credits-first.md).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

APPLIED = "applied_to_invoice"
UNAPPLIED = "unapplied_from_invoice"
USES = (APPLIED, UNAPPLIED)


@dataclass(frozen=True, slots=True)
class Movement:
    """A balance transaction at Stripe; `amount` signed as there: negative is credit.

    `booked` is what our ledger has of it already: awards with signed minor units, plus is credit.
    `is_pending`: it is a credit of ours, or takes one back, and our books don't say so yet.
    """

    stripe_id: str
    amount: int
    kind: str
    invoice: str = ""
    booked: tuple[tuple[int, int], ...] = ()
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """`amount_minor` to be booked to an award: negative is used, positive given back."""

    stripe_id: str
    award: int
    amount_minor: int


@dataclass(slots=True)
class Allocation:
    """What is to be booked. `is_waiting`: a use may belong to a credit that is not booked yet."""

    uses: list[Use] = field(default_factory=list)
    is_waiting: bool = False


class Queue:
    """Credits in the order of `ranks` (award -> any rising number), holding `left` minor units.

    `taken` says what invoices before took of which awards, by invoice, in order.
    """

    def __init__(
        self,
        left: Mapping[int, int],
        taken: Mapping[str, Sequence[tuple[int, int]]] | None = None,
        *,
        ranks: Mapping[int, int],
    ) -> None:
        self._left = dict(left)
        self._ranks = ranks
        self._taken: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for invoice, several in (taken or {}).items():
            self._taken[invoice] += several
        self._pending_minor = 0
        self._is_unclear = False

    def allocate(self, movements: Sequence[Movement]) -> Allocation:
        """Go through `movements`, the oldest first, as far as our books allow."""
        done = Allocation()
        for each in movements:
            if each.booked:
                self._apply_booked(each)
            elif each.is_pending:
                # taken back of which credit, and whether at all, our books will say
                self._is_unclear |= each.amount > 0
                self._pending_minor += max(-each.amount, 0)
            elif each.kind == APPLIED and each.amount > 0:
                parts = self._take(each.amount)
                is_beyond = each.amount + sum(part for _, part in parts) > 0
                if self._is_unclear or (self._pending_minor and is_beyond):
                    done.is_waiting = True
                    break
                self._note(done, each, parts)
            elif each.kind == UNAPPLIED and each.amount < 0:
                self._note(done, each, self._given_back(each))
        return done

    def _apply_booked(self, each: Movement) -> None:
        for award, amount_minor in each.booked:
            self._left[award] = self._left.get(award, 0) + amount_minor
            if each.kind in USES:
                self._taken[each.invoice].append((award, amount_minor))

    def _take(self, amount: int) -> list[tuple[int, int]]:
        """Parts of `amount`, negative, from the oldest credits that have something left."""
        parts = []
        for award in sorted(self._left, key=lambda award: self._ranks.get(award, award)):
            part = min(amount, self._left[award])
            if part > 0:
                parts.append((award, -part))
                amount -= part
        return parts

    def _given_back(self, each: Movement) -> list[tuple[int, int]]:
        """Parts, positive, to the awards that the invoice had used, the last one first."""
        amount, parts = -each.amount, []
        used: dict[int, int] = {}
        for award, part in self._taken[each.invoice]:
            used[award] = used.get(award, 0) - part
        for award, most in reversed(used.items()):
            part = min(amount, most)
            if part > 0:
                parts.append((award, part))
                amount -= part
        return parts

    def _note(self, done: Allocation, each: Movement, parts: list[tuple[int, int]]) -> None:
        for award, amount_minor in parts:
            self._left[award] += amount_minor
            self._taken[each.invoice].append((award, amount_minor))
            done.uses.append(Use(each.stripe_id, award, amount_minor))
