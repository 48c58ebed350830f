"""Taking waiting events in hand, and giving them back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from backoffice.webhooks.models import EventState, StripeEvent

# Customers to a slice; all events about one of them go along.
SLICE = 200
MOST_EVENTS = 5_000
# An attempt whose worker is killed is made again after this time.
LEASE = timedelta(minutes=2)
# From this attempt on an event is handled alone: it may be what kills its worker.
ALONE_FROM = 2
# Pauses after an attempt that failed; after the last the event is parked.
PAUSES = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
)
ATTEMPTS = len(PAUSES) + 1

_CLAIM = """
    WITH first AS (
        SELECT id, customer_id, attempts FROM webhooks_stripeevent
        WHERE state = 'waiting' AND next_at <= %(now)s
        ORDER BY next_at, id LIMIT %(slice)s FOR UPDATE SKIP LOCKED
    ), suspect AS (
        SELECT id FROM first WHERE attempts >= %(alone)s ORDER BY id LIMIT 1
    ), same AS (
        SELECT id FROM webhooks_stripeevent
        WHERE state = 'waiting' AND next_at <= %(now)s AND attempts < %(alone)s
            AND customer_id IN (SELECT customer_id FROM first WHERE customer_id <> '')
            AND NOT EXISTS (SELECT FROM suspect)
        LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ), chosen AS (
        SELECT id FROM suspect
        UNION SELECT id FROM first WHERE NOT EXISTS (SELECT FROM suspect)
        UNION SELECT id FROM same
    )
    UPDATE webhooks_stripeevent event
    SET attempts = attempts + 1, next_at = %(lease)s
    FROM chosen WHERE event.id = chosen.id
    RETURNING event.id, event.kind, event.object_id, event.customer_id, event.attempts
"""
_ECHOES = """
    UPDATE webhooks_stripeevent event
    SET state = 'ignored', handled_at = %(now)s, note = 'It tells of a call of our own.'
    FROM compensation_award award
    WHERE event.state = 'waiting' AND event.attempts = 0 AND event.kind = 'customer.updated'
        AND event.request_key <> '' AND award.idempotency_key <> ''
        AND award.idempotency_key = event.request_key
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One event in hand."""

    pk: int
    kind: str
    object_id: str
    customer_id: str
    attempts: int


def claim() -> list[Claimed]:
    """Events that are due, with all others about the same customers. Attempts are counted first."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "now": now,
                "lease": now + LEASE,
                "slice": SLICE,
                "most": MOST_EVENTS,
                "alone": ALONE_FROM,
            },
        )
        return sorted((Claimed(*row) for row in cursor.fetchall()), key=lambda event: event.pk)


def recover() -> None:
    """What a killed handler had in hand is due at once. Only for the one who handles.

    What failed has an error, and waits out its pause.
    """
    now = timezone.now()
    StripeEvent.objects.filter(
        state=EventState.WAITING, attempts__gt=0, error="", next_at__gt=now
    ).update(next_at=now)


def ignore_echoes() -> int:
    """Settle what Stripe tells of credits that we booked: nothing is to be read, our ledger knows.

    A batch of a million awards comes back as a million of these.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ECHOES, {"now": timezone.now()})
        return int(cursor.rowcount)


def settle(notes: dict[int, str], ignored: set[int]) -> None:
    """These events are done, with what is worth noting of each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE webhooks_stripeevent event
            SET state = CASE WHEN done.ignored THEN 'ignored' ELSE 'handled' END,
                handled_at = %s, error = '', note = done.note
            FROM unnest(%s::bigint[], %s::text[], %s::boolean[]) AS done (id, note, ignored)
            WHERE event.id = done.id AND event.state = 'waiting'
            """,
            [
                timezone.now(),
                list(notes),
                list(notes.values()),
                [pk in ignored for pk in notes],
            ],
        )


def fail(event: Claimed, error: str) -> None:
    """It could not be handled: later again, or never again until a person says so."""
    error = error.replace("\0", "")[:2_000]
    waiting = StripeEvent.objects.filter(pk=event.pk, state=EventState.WAITING)
    if event.attempts >= ATTEMPTS:
        waiting.update(state=EventState.PARKED, error=error)
    else:
        waiting.update(error=error, next_at=timezone.now() + PAUSES[event.attempts - 1])


def give_back(events: list[Claimed], *, until: datetime, error: str = "") -> None:
    """It is not about them: this attempt does not count."""
    waiting = StripeEvent.objects.filter(
        pk__in=[event.pk for event in events], state=EventState.WAITING
    )
    waiting.update(attempts=F("attempts") - 1, next_at=until, error=error[:2_000])
