"""Customers and subscriptions as Stripe has them; and ours created there, for demos and tests.

Stripe's objects are found by their id, else by `metadata[reference]`, else they are new to us.
What the import of files may not do, the mirror may not do either: both write by the same verbs.
"""

import time
from collections.abc import Iterator
from itertools import islice

from backoffice.customers.mirror.calls import Calls, MirrorError, Pace
from backoffice.customers.mirror.creating import create_at_stripe
from backoffice.customers.mirror.refreshing import refresh_mirror
from backoffice.customers.mirror.report import MirrorReport
from backoffice.customers.mirror.taking import (
    Raw,
    customer_rows,
    fill_currencies,
    subscription_rows,
    take,
)

__all__ = ["MirrorError", "MirrorReport", "Pace", "mirror_stripe", "refresh_mirror"]

AT_ONCE = 1000


def mirror_stripe(*, create: bool = False, limit: int | None = None) -> MirrorReport:
    """Bring customers and subscriptions in from Stripe, a thousand to a transaction.

    With `create`, ours without an id of Stripe's are then created there. `limit` bounds both the
    objects read of each kind and those created.

    Raises:
        MirrorError: Stripe cannot be read or written; what was mirrored before stays.
    """
    began = time.monotonic()
    report = MirrorReport()
    calls = Calls()
    seen: dict[str, str] = {}
    for several in _chunks(calls.customers(), limit):
        take(report, report.customers, several, lambda raws: customer_rows(raws, seen, report))
    for several in _chunks(calls.subscriptions(), limit):
        take(
            report, report.subscriptions, several,
            lambda raws: subscription_rows(raws, calls, seen, report),
        )  # fmt: skip
    fill_currencies()
    if create:
        create_at_stripe(calls, report, limit=limit)
    report.seconds = round(time.monotonic() - began, 3)
    return report


def _chunks(rows: Iterator[Raw], limit: int | None) -> Iterator[list[Raw]]:
    rows = islice(rows, limit)
    while chunk := list(islice(rows, AT_ONCE)):
        yield chunk
