"""Races our pricing against SQL written by hand, and compares what both wrote, row by row."""

from time import monotonic
from typing import Any

from django.db import connection, transaction

from compensation.models import Award, Batch
from compensation.pricing import Priced, price
from tests.bench.result import Result

REFERENCE_TABLE = """
CREATE TABLE reference_award (LIKE compensation_award INCLUDING ALL);
DO $$
DECLARE key record;
BEGIN
    FOR key IN SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE contype = 'f' AND conrelid = 'compensation_award'::regclass
    LOOP
        EXECUTE format('ALTER TABLE reference_award ADD %s', key.definition);
    END LOOP;
    FOR key IN SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
        WHERE tgrelid = 'compensation_award'::regclass AND NOT tgisinternal
    LOOP
        EXECUTE replace(replace(key.definition, ' ON public.compensation_award ',
            ' ON reference_award '), ' ON compensation_award ', ' ON reference_award ');
    END LOOP;
END $$
"""
COMPARED = """
SELECT {columns} FROM compensation_award WHERE batch_id = %(batch)s EXCEPT
SELECT {columns} FROM reference_award
"""


def race(
    batch: Batch, by_hand: str, values: dict[str, Any], *, columns: str, bar: float, size: int
) -> Result:
    """Both twice, the second time in the other order; the better one counts."""
    execute(REFERENCE_TABLE)
    ours, priced = _ours(batch)
    reference = _reference(by_hand, values)
    _compare(values, priced, columns)
    execute("TRUNCATE reference_award")
    reference = min(reference, _reference(by_hand, values))
    Award.objects.filter(batch=batch)._raw_delete("default")
    execute("VACUUM compensation_award")
    ours = min(ours, _ours(batch)[0])
    return Result(ours, reference, bar, notes=f"{size:,} exposures, {priced.awards:,} awards")


def _ours(batch: Batch) -> tuple[float, Priced]:
    started = monotonic()
    priced = price(batch)
    return monotonic() - started, priced


def _reference(by_hand: str, values: dict[str, Any]) -> float:
    started = monotonic()
    with transaction.atomic():
        execute(by_hand, values)
    return monotonic() - started


def _compare(values: dict[str, Any], priced: Priced, columns: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM reference_award")
        (expected,) = cursor.fetchone()
        if expected != priced.awards + priced.excluded:
            raise AssertionError(f"{expected} awards by hand, {priced} by us.")
        cursor.execute(COMPARED.format(columns=columns) + " LIMIT 1", values)
        if (other := cursor.fetchone()) is not None:
            raise AssertionError(f"Not so by hand: {other}")


def execute(statement: str, values: dict[str, Any] | None = None) -> None:
    """Run one statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
