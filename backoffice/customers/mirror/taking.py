"""Objects of Stripe's into our rows: found by their id, else by `metadata[reference]`, else new."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, Q
from django.utils import timezone

from backoffice.customers.importing import writing
from backoffice.customers.importing.checking import Row
from backoffice.customers.importing.report import Counts, Report
from backoffice.customers.mirror.calls import Calls
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

CUSTOMER_FIELDS = {"name", "email", "language", "country", "currency", "stripe_customer_id"}
SUBSCRIPTION_FIELDS = set(writing.SUBSCRIPTION_TYPES) - {"reference", "region"}

Raw = dict[str, Any]


def take(
    report: MirrorReport,
    counts: Counts,
    raws: list[Raw],
    to_rows: Callable[[list[Raw]], Iterator[Row]],
) -> None:
    """Write `raws` at once; rows that the database contradicts are skipped with its reason."""
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


def customer_rows(raws: list[Raw], seen: dict[str, str], report: MirrorReport) -> Iterator[Row]:
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


def subscription_rows(
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
        known = stored.get(one.id) or stored.get(_reference(one))
        try:
            row = subscription_row(
                one,
                known,
                line=line,
                customer=owners.get(one.customer) or _former_owner(one, known),
                product_name=calls.product_name,
            )
            reference = (row.subscription or {})["reference"]
            _claim(f"subscription {reference}", one.id, seen)
        except SkippedError as error:
            report.skipped.append(Skipped(one.id, str(error)))
        else:
            yield row


def _former_owner(found: StripeSubscription, known: Subscription | None) -> str:
    """Whose it was before that customer was deleted at Stripe: what it paid for ends here too."""
    is_linked = known is not None and known.stripe_subscription_id == found.id
    if known is None or not is_linked or known.customer.stripe_customer_id:
        raise SkippedError(f"Its customer {found.customer} is not here.")
    return known.customer.reference


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


def fill_currencies(customers: Iterable[int] | None = None) -> None:
    """A customer has the currency of their subscriptions where Stripe did not say.

    Of all, or of those with the ids in `customers`.
    """
    ids = None if customers is None else list(customers)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE customers_customer c SET currency = s.currency, updated_at = now()
               FROM (SELECT customer_id, min(currency) AS currency FROM customers_subscription
                     WHERE %(ids)s::bigint[] IS NULL OR customer_id = ANY (%(ids)s::bigint[])
                     GROUP BY customer_id HAVING min(currency) = max(currency)) s
               WHERE s.customer_id = c.id AND c.currency = ''""",
            {"ids": ids},
        )
