"""Whose balance to look at although nothing was announced."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

_OPEN = """
    INSERT INTO compensation_balancereading AS known
        (customer_id, newest_id, opened_by, read_at, next_at)
    SELECT customer_id, '', max(id), NULL, %(soon)s
    FROM compensation_ledgerentry
    WHERE kind = 'credit' AND amount_minor > 0
        AND id > coalesce((SELECT max(opened_by) FROM compensation_balancereading), 0)
    GROUP BY customer_id
    ON CONFLICT (customer_id) DO UPDATE
    SET opened_by = excluded.opened_by, next_at = least(known.next_at, excluded.next_at)
"""


def due_customers(*, now: datetime, limit: int) -> list[str]:
    """Stripe's ids of up to `limit` customers with open credit who were not looked at for long.

    The first turn comes a while after the credit; each is given out once until its next turn, so
    that several may ask.
    """
    with connection.cursor() as cursor:
        # entries appear in the order of their ids, so nothing below the largest is missed
        cursor.execute(_OPEN, {"soon": next_look(now)})
        cursor.execute(
            """
            UPDATE compensation_balancereading reading SET next_at = %(next)s
            FROM (
                SELECT customer_id FROM compensation_balancereading
                WHERE next_at <= %(now)s ORDER BY next_at LIMIT %(limit)s
                FOR UPDATE SKIP LOCKED
            ) due
            JOIN customers_customer customer ON customer.id = due.customer_id
            WHERE reading.customer_id = due.customer_id
            RETURNING customer.stripe_customer_id
            """,
            {"now": now, "next": next_look(now), "limit": limit},
        )
        return [found for (found,) in cursor.fetchall() if found]


def next_look(now: datetime) -> datetime:
    return now + timedelta(hours=settings.STRIPE_POLL_HOURS)
