"""Counts and ages that tell whether work flows. Each is one query that an index answers.

Ages are in seconds, 0 where nothing waits. What happened before the figures' clock is not negative.
"""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Min
from django.utils import timezone

from backoffice.operation.models import Heartbeat
from backoffice.webhooks.models import StripeEvent
from compensation.models import Award, Batch, CallCount, IssuingControl
from compensation.models.award import AwardState
from compensation.models.batch import BatchState
from support.models import Inbound, Message, Ticket, TicketEvent
from support.models.ticket import Status

UNSENT = (AwardState.APPROVED, AwardState.SENDING)
TROUBLED = (AwardState.FAILED, AwardState.UNKNOWN)
COUNTED_TICKETS = (Status.NEW, Status.OPEN, Status.WAITING, Status.ON_HOLD)

# When each thing that is to be sent could first have been: of a batch since its approval or, while
# it is being issued, since its last award was; of goodwill since it was given; of a call under way
# since it was made. Paused batches wait because people want them to.
_UNSENT = """
    WITH going AS (
        SELECT batch.id, coalesce(batch.issuing_started_at, batch.approved_at) AS since
        FROM compensation_batch batch
        WHERE batch.state IN ('approved', 'issuing')
    ), last AS (
        SELECT booked_at FROM compensation_ledgerentry ORDER BY id DESC LIMIT 1
    )
    SELECT min(since) FROM (
        SELECT greatest(going.since, (SELECT booked_at FROM last)) AS since
        FROM going
        WHERE EXISTS (
            SELECT 1 FROM compensation_award award
            WHERE award.batch_id = going.id AND award.source IN ('batch', 'goodwill')
                AND award.state IN ('approved', 'sending')
        )
        UNION ALL
        SELECT first_sent_at FROM compensation_award WHERE state = 'sending'
            AND (batch_id IS NULL OR batch_id IN (SELECT id FROM going))
        UNION ALL
        SELECT created_at FROM compensation_award
        WHERE source = 'goodwill' AND batch_id IS NULL AND state IN ('approved', 'sending')
    ) AS waiting
"""
# The statistics that PostgreSQL keeps of a column, times its guess of the rows: cheap at any size.
_ESTIMATES = """
    SELECT value, (frequency * greatest(reltuples, 0))::bigint
    FROM pg_stats
    JOIN pg_class ON pg_class.oid = to_regclass(quote_ident(tablename)),
        unnest(most_common_vals::text::text[], most_common_freqs) AS common (value, frequency)
    WHERE schemaname = current_schema() AND tablename = %s AND attname = %s
"""


def age_of(moment: datetime | None) -> float:
    """Seconds since `moment`; 0 for none."""
    if moment is None:
        return 0.0
    return max((timezone.now() - moment).total_seconds(), 0.0)


def oldest_unsent() -> float:
    """For how long an award has waited although it could be sent; 0 while issuing is stopped."""
    if IssuingControl.objects.filter(is_stopped=True).exists():
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute(_UNSENT)
        row = cursor.fetchone()
    return age_of(row[0] if row else None)


def last_heartbeat() -> datetime | None:
    """When a worker last answered beat; None: never."""
    return Heartbeat.objects.values_list("at", flat=True).first()


def oldest_ticket_event() -> float:
    """For how long something that happened to a ticket has not been followed up."""
    waiting = TicketEvent.objects.filter(processed_at=None).order_by("id")
    return age_of(waiting.values_list("at", flat=True).first())


def oldest_webhook() -> float:
    """For how long an event of Stripe's that is due has waited."""
    found = StripeEvent.objects.filter(
        state=StripeEvent.State.WAITING, next_at__lte=timezone.now()
    ).aggregate(since=Min("next_at"))
    return age_of(found["since"])


def oldest_mail_out() -> float:
    """For how long an answer that is due has not been sent."""
    due = Message.objects.filter(
        delivery__in=[Message.Delivery.QUEUED, Message.Delivery.SENDING],
        send_at__lte=timezone.now(),
    )
    return age_of(due.order_by("send_at").values_list("send_at", flat=True).first())


def oldest_mail_in() -> float:
    """For how long something that came in has not become a ticket or a message."""
    new = Inbound.objects.filter(state=Inbound.State.NEW).order_by("id")
    return age_of(new.values_list("received_at", flat=True).first())


def awards_by_state() -> dict[str, int]:
    """Exactly, for the states that need somebody or something; each by a partial index."""
    unsent = Award.objects.filter(state__in=UNSENT).count()
    sending = Award.objects.filter(state=AwardState.SENDING).count()
    troubled = _counts(Award.objects.filter(state__in=TROUBLED), "state", TROUBLED)
    return {
        AwardState.APPROVED.value: max(unsent - sending, 0),
        AwardState.SENDING.value: sending,
        **troubled,
    }


def batches_by_state() -> dict[str, int]:
    return _counts(Batch.objects.all(), "state", BatchState.values)


def tickets_by_status() -> dict[str, int]:
    """Exactly, for what is not solved."""
    return _counts(Ticket.objects.filter(status__in=COUNTED_TICKETS), "status", COUNTED_TICKETS)


def parked_webhooks() -> int:
    return StripeEvent.objects.filter(state=StripeEvent.State.PARKED).count()


def calls_by_outcome() -> dict[str, int]:
    """Calls to Stripe by issuing, since the installation began."""
    return dict(CallCount.objects.values_list("outcome", "calls"))


def is_stopped() -> bool:
    return IssuingControl.objects.filter(is_stopped=True).exists()


def estimates(table: str, column: str) -> dict[str, int]:
    """About how many rows have each value of a column, as of the last ANALYZE."""
    with connection.cursor() as cursor:
        cursor.execute(_ESTIMATES, [table, column])
        return {str(value): int(rows) for value, rows in cursor.fetchall()}


def _counts(rows: Any, field: str, values: Any) -> dict[str, int]:
    counted = rows.order_by().values_list(field).annotate(Count("id"))
    return {str(value): 0 for value in values} | {str(key): count for key, count in counted}
