"""Priority support needs nobody's answer: it is issued here and now."""

from django.db import connection, transaction
from django.utils import timezone

from compensation.issuing.claiming import may_issue, source_of
from compensation.ledger import NewEntry, record_entries
from compensation.models import LedgerEntry

SLICE = 1000
_ISSUE = """
    UPDATE compensation_award award
    SET state = 'issued', issued_at = %(now)s,
        priority_until = %(now)s + make_interval(days => award.days)
    FROM (
        SELECT id FROM compensation_award
        WHERE source = %(source)s AND batch_id IS NOT DISTINCT FROM %(batch)s
            AND state = 'approved' AND state IN ('approved', 'sending') AND benefit = 'priority'
        ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) slice
    WHERE award.id = slice.id
    RETURNING award.id, award.customer_id, award.days
"""


def issue_priority(batch: int | None) -> int:
    """Issue up to a slice of `batch`, beginning now (UTC); how many.

    None as the batch stands for goodwill given at once.
    """
    now = timezone.now()
    with transaction.atomic():
        if not may_issue(batch):
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                _ISSUE,
                {
                    "now": now,
                    "source": source_of(batch),
                    "batch": batch,
                    "limit": SLICE,
                },
            )
            rows = sorted(cursor.fetchall())
        record_entries(
            [
                NewEntry(
                    kind=LedgerEntry.Kind.PRIORITY,
                    customer_id=customer,
                    award_id=award,
                    booked_at=now,
                    note=f"{days} days",
                )
                for award, customer, days in rows
            ]
        )
    return len(rows)
