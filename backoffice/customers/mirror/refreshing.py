"""Some customers and subscriptions read again at Stripe, because something happened to them."""

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backoffice.customers.mirror.calls import Calls, Pace, RefusedError
from backoffice.customers.mirror.report import MirrorReport, Skipped
from backoffice.customers.mirror.taking import (
    Raw,
    customer_rows,
    fill_currencies,
    subscription_rows,
    take,
)
from backoffice.customers.models import Customer

THREADS = 8


def refresh_mirror(
    customers: Collection[str], subscriptions: Collection[str], *, pace: Pace
) -> MirrorReport:
    """Bring these (Stripe's ids) to what Stripe says of them now.

    A customer whom Stripe deleted loses the link: nothing can be credited there any more. Each
    object is held from before it is read until it is written, so that of two readers the later
    reading stays. `failed` in the report are those that could not be read.

    Raises:
        MirrorError: Stripe cannot be asked at all; nothing was written.
    """
    report = MirrorReport()
    calls = Calls(pace)
    with transaction.atomic():
        _hold([*customers, *subscriptions])
        subscribed = _read(subscriptions, calls.subscription, report)
        owners = {str(each.get("customer", "")) for each in subscribed}
        # whoever pays for something new may be new to us, too
        strangers = owners - set(customers) - _known(owners) - {""}
        found = _read([*customers, *sorted(strangers)], calls.customer, report)
        deleted = [str(each["id"]) for each in found if each.get("deleted")]
        alive = [each for each in found if not each.get("deleted")]
        seen: dict[str, str] = {}
        if alive:
            take(
                report, report.customers, alive,
                lambda raws: customer_rows(raws, seen, report),
            )  # fmt: skip
        _unlink(deleted)
        if subscribed:
            take(
                report, report.subscriptions, subscribed,
                lambda raws: subscription_rows(raws, calls, seen, report),
            )  # fmt: skip
        fill_currencies(_ids([*customers, *owners]))
    return report


def _hold(identifiers: Iterable[str]) -> None:
    """Until the transaction ends; in one order, so that two never wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('mirror ' || id, 0))"
            " FROM (SELECT DISTINCT unnest(%s::text[]) AS id ORDER BY 1) AS held",
            [list(identifiers)],
        )


def _read(
    identifiers: Collection[str], ask: Callable[[str], Raw | None], report: MirrorReport
) -> list[Raw]:
    def one(identifier: str) -> Raw | RefusedError | None:
        try:
            return ask(identifier)
        except RefusedError as error:
            return error

    found = []
    with ThreadPoolExecutor(THREADS, "mirror") as pool:
        for identifier, answer in zip(identifiers, pool.map(one, identifiers), strict=True):
            if isinstance(answer, RefusedError):
                report.failed.append(Skipped(identifier, str(answer)))
            elif answer is None:
                report.skipped.append(Skipped(identifier, "Stripe has none of this id."))
            else:
                found.append(answer)
    return found


def _known(customers: Collection[str]) -> set[str]:
    rows: Any = Customer.objects.filter(stripe_customer_id__in=customers)
    return set(rows.values_list("stripe_customer_id", flat=True))


def _ids(customers: Collection[str]) -> list[int]:
    return list(
        Customer.objects.filter(stripe_customer_id__in=customers).values_list("pk", flat=True)
    )


def _unlink(deleted: Collection[str]) -> None:
    Customer.objects.filter(stripe_customer_id__in=deleted).update(
        stripe_customer_id=None, updated_at=timezone.now()
    )
