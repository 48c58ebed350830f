"""Counting the calls to Stripe by how they came out, for those who watch over it."""

from collections import Counter

from django.db import connection


def add_calls(outcomes: Counter[str]) -> None:
    """Add what was counted, and forget it."""
    if not outcomes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO compensation_callcount AS counted (outcome, calls)
            SELECT * FROM unnest(%s::text[], %s::bigint[])
            ON CONFLICT (outcome) DO UPDATE SET calls = counted.calls + excluded.calls
            """,
            [list(outcomes), list(outcomes.values())],
        )
    outcomes.clear()
