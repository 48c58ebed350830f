"""Taking reversals in hand: amount, key, hash and time are committed before any call is made."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from backoffice.money import granularity_minor
from compensation.issuing.claiming import is_stopped, may_issue
from compensation.ledger import wait_for_other_writers
from compensation.models import Award, Reversal, ReversalRequest
from compensation.models.reversal import RequestState, ReversalState
from compensation.remaining import consumable
from compensation.reversing.orders import ReversalOrder, new_key, order_for, trial_end_before
from compensation.reversing.writing import end_priority

# A trial ends at the earliest after this time, so that nobody is billed from one hour to the next.
NOTICE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A row that was left `sending`; without an order it was sent otherwise."""

    reversal: int
    order: ReversalOrder | None


def has_reversals() -> bool:
    """Whether there is something to take back. Cheap, for the beat to ask."""
    return _to_do().exists() or unfinished().exists()


def unfinished() -> QuerySet[ReversalRequest]:
    """Approved requests with nothing left to send or to find out."""
    open_states = [ReversalState.APPROVED, ReversalState.SENDING, ReversalState.UNKNOWN]
    open_rows = Reversal.objects.filter(request=OuterRef("pk"), state__in=open_states)
    return ReversalRequest.objects.filter(~Exists(open_rows), state=RequestState.APPROVED)


def claim(*, limit: int) -> list[ReversalOrder]:
    """Claim up to `limit` approved reversals, at most one a customer, and fix their amounts.

    One a customer at a time, because each is checked against the same balance at Stripe. What
    needs no call (priority support, or where nothing is left) is done here and now.
    """
    with transaction.atomic(durable=True):
        if limit < 1 or not may_issue(None):
            return []
        rows = _one_a_customer(limit)
        wait_for_other_writers()
        left = consumable(row.award_id for row in rows)
        return [order for row in rows if (order := _taken(row, left[row.award_id]))]


def has_claimable() -> bool:
    """Whether another claim would find something; not what waits for its customer's other one."""
    return not is_stopped() and _claimable().exists()


def recover() -> list[Recovered]:
    """Rows left `sending` by a run that is no more, with what it sent, rebuilt.

    Only for the holder of the issuer's lock, before it claims: then every such row is orphaned.
    Should that run be alive after all, having lost its lock, it cannot give them back any more.
    """
    with transaction.atomic(durable=True):
        if not may_issue(None):
            return []
        mine = _to_do().filter(state=ReversalState.SENDING).select_for_update(of=("self",))
        rows = list(mine)
        for row in rows:
            row.attempt += 1
            row.save(update_fields=["attempt"])
    return [Recovered(row.pk, _rebuilt(row)) for row in rows]


def _to_do() -> QuerySet[Reversal]:
    rows = Reversal.objects.filter(
        state__in=[ReversalState.APPROVED, ReversalState.SENDING],
        request__state=RequestState.APPROVED,
        request__problem="",
    )
    return rows.select_related("award__incident", "request").order_by("id")


def _claimable() -> QuerySet[Reversal]:
    """Those whose customer has one under way, or unknown, wait."""
    busy = Reversal.objects.filter(
        customer=OuterRef("customer"), state__in=[ReversalState.SENDING, ReversalState.UNKNOWN]
    )
    return _to_do().filter(~Exists(busy), state=ReversalState.APPROVED)


def _one_a_customer(limit: int) -> list[Reversal]:
    """Locked, in the order in which they were asked for."""
    rows = _claimable().select_for_update(of=("self",), skip_locked=True)[:limit]
    first: dict[int, Reversal] = {}
    for row in rows:
        first.setdefault(row.customer_id, row)
    return list(first.values())


def _taken(row: Reversal, left_minor: int) -> ReversalOrder | None:
    """Make `row` ready to be sent; None where there is nothing to send."""
    award = row.award
    if award.benefit == Award.Benefit.PRIORITY:
        end_priority(row)
        return None
    is_worth_it = _fix_amount(row, row.limit_minor if row.corrects else left_minor)
    if award.benefit == Award.Benefit.TRIAL:
        is_worth_it = _fix_trial_end(row)
    if not is_worth_it:
        row.state = ReversalState.NOTHING
        row.done_at = timezone.now()
        row.save(update_fields=["state", "done_at"])
        return None
    return _mark_sending(row)


def _fix_amount(row: Reversal, left_minor: int) -> bool:
    """The least of what was signed, what our book has left, and what Stripe had when last seen."""
    seen = row.limit_minor if row.seen_minor is None else row.seen_minor
    amount = max(min(row.limit_minor, left_minor, seen), 0)
    row.amount_minor = amount - amount % granularity_minor(row.currency) if row.currency else 0
    return row.amount_minor > 0


def _fix_trial_end(row: Reversal) -> bool:
    """Back to what it was before, but not into the past: days that were used stay."""
    before, target = trial_end_before(row.award), row.award.trial_end_target
    if before is None or target is None:
        return False
    row.trial_end = max(before, timezone.now() + NOTICE).replace(microsecond=0)
    return row.trial_end < target


def _mark_sending(row: Reversal) -> ReversalOrder:
    """A new key each time: one that was given back may have other parameters now."""
    row.attempt += 1
    order = order_for(
        row, key=new_key(row.pk, row.attempt), first_sent_at=timezone.now(), is_fresh=True
    )
    row.state = ReversalState.SENDING
    row.idempotency_key, row.parameters_hash = order.key, order.parameters_hash()
    row.first_sent_at = order.first_sent_at
    row.save(
        update_fields=[
            "state", "amount_minor", "trial_end", "attempt", "idempotency_key", "parameters_hash",
            "first_sent_at",
        ]
    )  # fmt: skip
    return order


def _rebuilt(row: Reversal) -> ReversalOrder | None:
    if row.first_sent_at is None:
        return None
    order = order_for(row, key=row.idempotency_key, first_sent_at=row.first_sent_at, is_fresh=False)
    return order if order.parameters_hash() == row.parameters_hash else None
