"""Tables that stand in for the real ones for the length of a transaction, in this session alone.

PostgreSQL finds a temporary table before a real one of the same name, so the statement that prices
batches prices here without knowing. Between transactions the stand-ins bear other names: whatever
breaks is rolled back, and no session is ever left in which a real table is hidden.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

PREFIX = "backtest_"
# What pricing reads of whom it prices, and what it was told they have got.
HIDDEN = (
    "customers_customer",
    "customers_subscription",
    "incidents_exposure",
    "incidents_exposureprofile",
    "compensation_award",
    "compensation_batch",
)


def make_shadows() -> None:
    """Empty tables of the real ones' columns, without constraints and triggers."""
    with connection.cursor() as cursor:
        for name in HIDDEN:
            cursor.execute(f"CREATE TEMP TABLE {PREFIX}{name} AS TABLE {name} WITH NO DATA")
        cursor.execute(f"CREATE INDEX ON {PREFIX}incidents_exposure (incident_id)")


@contextmanager
def shadowed() -> Iterator[None]:
    """Inside, reads and writes of the tables of HIDDEN go to the stand-ins."""
    with transaction.atomic(), connection.cursor() as cursor:
        for name in HIDDEN:
            cursor.execute(f"ALTER TABLE pg_temp.{PREFIX}{name} RENAME TO {name}")
        yield
        for name in HIDDEN:
            cursor.execute(f"ALTER TABLE pg_temp.{name} RENAME TO {PREFIX}{name}")
