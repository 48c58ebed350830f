"""How PostgreSQL joins the steps of a statement that counts downtime from outages."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from compensation.pricing.terms import Terms

# What a large batch needs to sort and hash its exposures without going to disk.
MEMORY = "256MB"


@contextmanager
def joined_wholly(terms: Terms, cursor: CursorWrapper) -> Iterator[None]:
    """Within it, steps are joined as wholes, not row by row; in a transaction, and set back.

    PostgreSQL knows nothing of how many rows a step gives and takes each for one row. Joined row
    by row, 100,000 exposures with the awards given before took 428 s, as wholes 3 s. A single
    customer's few rows, and statements over stored seconds alone, are planned well as they are.
    """
    if not terms.counts_outages or terms.customer_id is not None:
        yield
        return
    with transaction.atomic():
        cursor.execute(f"SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '{MEMORY}'")
        yield
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT; SET LOCAL work_mem TO DEFAULT")
