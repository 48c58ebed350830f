"""Customers and subscriptions as Stripe has them; and ours created there, for demos and tests.

Stripe's objects are found by their id, else by `metadata[reference]`, else they are new to us.
What the import of files may not do, the mirror may not do either: both write by the same verbs.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, Q
from django.utils import timezone

from backoffice.customers.importing import writing
from backoffice.customers.importing.checking import Row
from backoffice.customers.importing.report import Counts, Report
from backoffice.customers.mirror.calls import Calls, MirrorError
from backoffice.customers.mirror.creating import create_at_stripe
from backoffice.customers.mirror.objects import (
    SkippedError,
    StripeCustomer,
    StripeSubscription,
    customer_row,
    read,
    reference_in,
    subscription_row,
)
from backoffice.customers.mirror.report import MirrorReport, Skipped
from backoffice.customers.models import Customer, Subscription

__all__ = ["MirrorError", "MirrorReport", "mirror_stripe"]

AT_ONCE = 1000
CUSTOMER_FIELDS = {"name", "email", "language", "country", "currency", "stripe_customer_id"}
SUBSCRIPTION_FIELDS = set(writing.SUBSCRIPTION_TYPES) - {"reference", "region"}

Raw = dict[str, Any]


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
        _take(report, report.customers, several, lambda raws: _customer_rows(raws, seen, report))
    for several in _chunks(calls.subscriptions(), limit):
        _take(
            report, report.subscriptions, several,
            lambda raws: _subscription_rows(raws, calls, seen, report),
        )  # fmt: skip
    _fill_currencies()
    if create:
        create_at_stripe(calls, report, limit=limit)
    report.seconds = round(time.monotonic() - began, 3)
    return report


def _chunks(rows: Iterator[Raw], limit: int | None) -> Iterator[list[Raw]]:
    rows = islice(rows, limit)
    while chunk := list(islice(rows, AT_ONCE)):
        yield chunk


def _take(
    report: MirrorReport,
    counts: Counts,
    raws: list[Raw],
    to_rows: Callable[[list[Raw]], Iterator[Row]],
) -> None:
    """Write one chunk; rows that the database contradicts are skipped with its reason."""
    rows = list(to_rows(raws))
    staged = Report("", "", timezone.now().date(), dry_run=False)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('import_customers'))")
        writing.stage(rows, staged)
        writing.remove_conflicts(staged)
        if counts is report.customers:
            written = writing.write_customers(CUSTOMER_FIELDS)
        else:
            written = writing.write_subscriptions(SUBSCRIPTION_FIELDS)
    counts.created += written.created
    counts.updated += written.updated
    counts.unchanged += written.unchanged
    report.skipped += [Skipped(_name(raws[bad.line]), bad.reason) for bad in staged.bad_lines]


def _name(raw: Raw) -> str:
    return str(raw.get("id", "an object without id"))[:255]


def _customer_rows(raws: list[Raw], seen: dict[str, str], report: MirrorReport) -> Iterator[Row]:
    found = list(_read_all(StripeCustomer, raws, report))
    stored = _stored(Customer, "stripe_customer_id", (one for _, one in found))
    for line, one in found:
        row = customer_row(one, stored.get(one.id) or stored.get(_reference(one)), line=line)
        try:
            _claim(row.customer["reference"], one.id, seen)
        except SkippedError as error:
            report.skipped.append(Skipped(one.id, str(error)))
        else:
            yield row


def _subscription_rows(
    raws: list[Raw], calls: Calls, seen: dict[str, str], report: MirrorReport
) -> Iterator[Row]:
    found = list(_read_all(StripeSubscription, raws, report))
    stored = _stored(Subscription, "stripe_subscription_id", (one for _, one in found))
    owners = dict(
        Customer.objects.filter(
            stripe_customer_id__in=[one.customer for _, one in found]
        ).values_list("stripe_customer_id", "reference")
    )
    for line, one in found:
        try:
            if one.customer not in owners:
                raise SkippedError(f"Its customer {one.customer} is not here.")  # noqa: TRY301
            row = subscription_row(
                one,
                stored.get(one.id) or stored.get(_reference(one)),
                line=line,
                customer=owners[one.customer],
                product_name=calls.product_name,
            )
            reference = (row.subscription or {})["reference"]
            _claim(f"subscription {reference}", one.id, seen)
        except SkippedError as error:
            report.skipped.append(Skipped(one.id, str(error)))
        else:
            yield row


def _read_all(
    model: type[Any], raws: Iterable[Raw], report: MirrorReport
) -> Iterator[tuple[int, Any]]:
    for line, raw in enumerate(raws):
        try:
            yield line, read(model, raw)
        except SkippedError as error:
            report.skipped.append(Skipped(_name(raw), str(error)))


def _reference(found: StripeCustomer | StripeSubscription) -> str:
    return reference_in(found.metadata, "")


def _stored(model: type[Model], field: str, found: Iterable[Any]) -> dict[str, Any]:
    """Our rows of these objects, by id of Stripe's and by reference; one query."""
    objects = list(found)
    by_id = Q(**{f"{field}__in": [one.id for one in objects]})
    by_reference = Q(reference__in=[_reference(one) for one in objects if _reference(one)])
    rows: dict[str, Any] = {}
    for row in model._default_manager.filter(by_id | by_reference):
        rows[row.reference] = row  # type: ignore[attr-defined]
        if getattr(row, field):
            rows[getattr(row, field)] = row
    return rows


def _claim(reference: str, stripe_id: str, seen: dict[str, str]) -> None:
    first = seen.setdefault(reference, stripe_id)
    if first != stripe_id:
        raise SkippedError(f"{first} has the same reference in its metadata, and came first.")


def _fill_currencies() -> None:
    """A customer has the currency of their subscriptions where Stripe did not say."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE customers_customer c SET currency = s.currency, updated_at = now()
               FROM (SELECT customer_id, min(currency) AS currency FROM customers_subscription
                     GROUP BY customer_id HAVING min(currency) = max(currency)) s
               WHERE s.customer_id = c.id AND c.currency = ''"""
        )
