"""What came back, written down: the award's state and the ledger's entry in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.states import history, move
from compensation.issuing.orders import Order
from compensation.ledger import NewEntry, already_booked, record_entries
from compensation.models import Award
from compensation.models.award import AwardState


@dataclass(frozen=True, slots=True)
class Issued:
    """An order that is booked at Stripe under `stripe_id`.

    `trial_end_before`: the trial's end before ours was set (Unix seconds), where it was read.
    """

    order: Order
    stripe_id: str
    trial_end_before: int | None = None


@dataclass(frozen=True, slots=True)
class Troubled:
    """An award that is to be failed, or unknown and a person's, and why."""

    award: int
    key: str
    code: str
    message: str


@dataclass(slots=True)
class Chunk:
    """Results that are written together."""

    issued: list[Issued] = field(default_factory=list)
    failed: list[Troubled] = field(default_factory=list)
    unknown: list[Troubled] = field(default_factory=list)
    back: list[Order] = field(default_factory=list)


# A row that was moved by somebody else meanwhile (another issuer after a lost lock) is left alone,
# and nothing is booked for it: RETURNING tells which were ours.
_ISSUED = """
    UPDATE compensation_award award
    SET state = 'issued', stripe_id = done.stripe_id, issued_at = %s, error_code = '',
        error_message = '', trial_end_before = to_timestamp(done.trial_end_before)
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[])
        AS done (award, key, stripe_id, trial_end_before)
    WHERE award.id = done.award AND award.state = 'sending' AND award.idempotency_key = done.key
    RETURNING award.id, award.customer_id, award.benefit, award.amount_minor, award.currency,
        award.stripe_id
"""
# What we set at Stripe we know at once, not at the next mirror: the next incident's days come on
# top of these, and do not aim at a date that has been reached.
_TRIAL_ENDS = """
    UPDATE customers_subscription subscription
    SET trial_end = GREATEST(subscription.trial_end, award.trial_end_target), updated_at = now()
    FROM compensation_award award
    WHERE award.id = ANY(%s::bigint[]) AND subscription.id = award.subscription_id
"""
_TROUBLED = """
    UPDATE compensation_award award
    SET state = %s, error_code = trouble.code, error_message = trouble.message
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])
        AS trouble (award, key, code, message)
    WHERE award.id = trouble.award AND award.state = 'sending'
        AND award.idempotency_key = trouble.key
"""
_GIVE_BACK = """
    UPDATE compensation_award SET state = 'approved'
    FROM unnest(%s::bigint[], %s::text[]) AS back (award, key)
    WHERE id = back.award AND state = 'sending' AND idempotency_key = back.key
"""


def write_issued(issued: Sequence[Issued]) -> int:
    """Mark them issued and book them; how many it were."""
    if not issued:
        return 0
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _ISSUED,
            [
                now,
                [each.order.award for each in issued],
                [each.order.key for each in issued],
                [each.stripe_id for each in issued],
                [each.trial_end_before for each in issued],
            ],
        )
        rows = sorted(cursor.fetchall())
        _book(rows, now)
    return len(rows)


def write_adopted(award: Award, *, stripe_id: str, by: User, reason: str) -> None:
    """Mark an unknown award issued on a person's word, and book it.

    The caller has locked it, and has seen that it is unknown.
    """
    now = timezone.now()
    more = {"stripe_id": stripe_id, "issued_at": now, "error_code": "", "error_message": ""}
    with transaction.atomic():
        move(award, AwardState.ISSUED, by=by, reason=reason, **more)
        row = (award.pk, award.customer_id, award.benefit, award.amount_minor, award.currency)
        _book([(*row, stripe_id)], now)


def _book(rows: Sequence[tuple[Any, ...]], now: datetime) -> None:
    """Rows as `_ISSUED` returns them; in the transaction that changed them."""
    if trials := [row[0] for row in rows if row[2] == "trial"]:
        with connection.cursor() as cursor:
            cursor.execute(_TRIAL_ENDS, [trials])
    # issued again because Stripe had lost it: owed and booked all the time
    booked = already_booked(row[0] for row in rows)
    record_entries(
        [
            NewEntry(
                kind=benefit,
                customer_id=customer,
                award_id=award,
                amount_minor=amount_minor,
                currency=currency,
                stripe_id=stripe_id,
                booked_at=now,
            )
            for award, customer, benefit, amount_minor, currency, stripe_id in rows
            if award not in booked
        ]
    )


def write_failed(troubled: Sequence[Troubled]) -> int:
    """Fail them with Stripe's words: it refused them, nothing was booked."""
    return _write_trouble("failed", troubled)


def write_unknown(troubled: Sequence[Troubled]) -> int:
    """Leave them to a person: whether they are booked cannot be proved."""
    return _write_trouble("unknown", troubled)


def give_back(orders: Sequence[Order]) -> None:
    """Back to approved, each with its key and the key's age: these calls were never made."""
    if not orders:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _GIVE_BACK, [[order.award for order in orders], [order.key for order in orders]]
        )


def note_unanswered(order: Order, reason: str) -> None:
    """Show, on an award that is still being tried, why it takes long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE compensation_award SET error_code = 'no_answer', error_message = %s"
            " WHERE id = %s AND state = 'sending' AND idempotency_key = %s",
            [reason, order.award, order.key],
        )


def _write_trouble(state: str, troubled: Sequence[Troubled]) -> int:
    if not troubled:
        return 0
    with history(by=None, reason="issuing"), connection.cursor() as cursor:
        cursor.execute(
            _TROUBLED,
            [
                state,
                [each.award for each in troubled],
                [each.key for each in troubled],
                [each.code[:100] for each in troubled],
                [each.message for each in troubled],
            ],
        )
        return int(cursor.rowcount)
