"""What came back, written down: reversal, award and the ledger's entry in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.states import history
from compensation.ledger import NewEntry, record_entries
from compensation.models import Award, LedgerEntry, Reversal
from compensation.models.reversal import ReversalState
from compensation.reversing.orders import ReversalOrder


@dataclass(frozen=True, slots=True)
class Returned:
    """An order that is booked at Stripe; `balance` is the customer's after it, where told."""

    order: ReversalOrder
    stripe_id: str
    balance: int | None = None


# A row that somebody else moved meanwhile (another run after a lost lock) is left alone, and
# nothing is booked for it: RETURNING tells which were ours.
_DONE = """
    UPDATE compensation_reversal reversal
    SET state = 'done', stripe_id = done.stripe_id, done_at = %s, error_code = '',
        error_message = '', overdrawn_minor = least(done.overdrawn, reversal.amount_minor)
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[])
        AS done (reversal, key, stripe_id, overdrawn)
    WHERE reversal.id = done.reversal AND reversal.state = 'sending'
        AND reversal.idempotency_key = done.key
    RETURNING reversal.id, reversal.award_id, reversal.customer_id, reversal.amount_minor,
        reversal.currency, reversal.stripe_id, reversal.request_id, reversal.corrects
"""
_AWARDS = """
    UPDATE compensation_award award
    SET state = 'reversed', reversed_minor = award.reversed_minor + reversal.amount_minor
    FROM compensation_reversal reversal
    WHERE reversal.id = ANY(%s) AND award.id = reversal.award_id AND award.state = 'issued'
"""
# As issuing does: the next incident's days must not come on top of days that are gone.
_TRIAL_ENDS = """
    UPDATE customers_subscription subscription
    SET trial_end = reversal.trial_end, updated_at = now()
    FROM compensation_reversal reversal
    JOIN compensation_award award ON award.id = reversal.award_id
    WHERE reversal.id = ANY(%s) AND reversal.trial_end IS NOT NULL
        AND subscription.id = award.subscription_id
        AND subscription.trial_end = award.trial_end_target
"""


def write_returned(returned: Sequence[Returned], *, by: User | None = None) -> int:
    """Mark them done and book them; how many it were. `by`: who said so where Stripe did not."""
    if not returned:
        return 0
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        with history(by=by, reason="reversal"):
            cursor.execute(
                _DONE,
                [
                    now,
                    [each.order.reversal for each in returned],
                    [each.order.key for each in returned],
                    [each.stripe_id for each in returned],
                    [max(each.balance or 0, 0) for each in returned],
                ],
            )
            done = sorted(cursor.fetchall())
            # what corrects Stripe alone touches neither award nor ledger
            rows = [row[:-1] for row in done if not row[-1]]
            ids = [row[0] for row in rows]
            cursor.execute(_AWARDS, [ids])
            cursor.execute(_TRIAL_ENDS, [ids])
        record_entries(
            [
                NewEntry(
                    kind=LedgerEntry.Kind.REVERSAL,
                    customer_id=customer,
                    award_id=award,
                    amount_minor=-amount_minor,
                    currency=currency,
                    stripe_id=stripe_id,
                    booked_at=now,
                    note=f"R-{request}",
                )
                for _, award, customer, amount_minor, currency, stripe_id, request in rows
            ]
        )
    return len(done)


def end_priority(row: Reversal) -> None:
    """Priority support ends now, or has ended: nobody at Stripe need be asked. In a transaction."""
    now = timezone.now()
    award = Award.objects.select_for_update(of=("self",)).get(pk=row.award_id)
    until = award.priority_until
    row.state = ReversalState.NOTHING if until is None or until <= now else ReversalState.DONE
    row.done_at = now
    row.save(update_fields=["state", "done_at"])
    if row.state == ReversalState.NOTHING or until is None:
        return
    with history(by=None, reason="reversal"):
        Award.objects.filter(pk=award.pk, state=Award.State.ISSUED).update(
            state=Award.State.REVERSED, priority_until=now
        )
    record_entries(
        [
            NewEntry(
                kind=LedgerEntry.Kind.REVERSAL,
                customer_id=award.customer_id,
                award_id=award.pk,
                booked_at=now,
                note=f"R-{row.request_id}: was until {until:%Y-%m-%d %H:%M} UTC",
            )
        ]
    )


def write_short(order: ReversalOrder, available_minor: int) -> None:
    """Stripe held less: to be claimed again for what there is, as nothing was sent."""
    _ours(order).update(state=ReversalState.APPROVED, seen_minor=available_minor, **_UNSENT)


def give_back(order: ReversalOrder) -> None:
    """Back to approved: it was never sent, or is proved not to be booked."""
    _ours(order).update(state=ReversalState.APPROVED, seen_minor=None, **_UNSENT)


def write_failed(order: ReversalOrder, code: str, message: str) -> int:
    """Fail it with Stripe's words: it refused, nothing was taken. 1, or 0 if it has moved on."""
    return _ours(order).update(
        state=ReversalState.FAILED, error_code=code[:100], error_message=message
    )


def write_unknown(order: ReversalOrder, reason: str) -> int:
    """Leave it to a person: whether it is booked cannot be proved."""
    return _ours(order).update(
        state=ReversalState.UNKNOWN, error_code="unprovable", error_message=reason
    )


def write_other_parameters(reversal: int) -> int:
    """One whose order cannot be rebuilt as it was sent is a person's, too."""
    return Reversal.objects.filter(pk=reversal, state=ReversalState.SENDING).update(
        state=ReversalState.UNKNOWN,
        error_code="other_parameters",
        error_message="It was sent with other parameters than it has now.",
    )


def note_unanswered(order: ReversalOrder, reason: str) -> None:
    """Show, on one that is still being tried, why it takes long."""
    _ours(order).update(error_code="no_answer", error_message=reason)


_UNSENT: dict[str, Any] = {
    "idempotency_key": "",
    "parameters_hash": "",
    "first_sent_at": None,
    "amount_minor": 0,
    "trial_end": None,
    "error_code": "",
    "error_message": "",
}


def _ours(order: ReversalOrder) -> QuerySet[Reversal]:
    return Reversal.objects.filter(
        pk=order.reversal,
        state=ReversalState.SENDING,
        idempotency_key=order.key,
        attempt=order.attempt,
    )
