"""Our customers and subscriptions made at Stripe: for the demo, and for test accounts."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from backoffice.customers.mirror.calls import Calls, MirrorError, RefusedError
from backoffice.customers.mirror.report import MirrorReport, Skipped
from backoffice.customers.models import Customer, Subscription

AT_ONCE = 1000
SEED_TIMEOUT_SECONDS = 120
R = TypeVar("R", bound=Model)


def create_at_stripe(calls: Calls, report: MirrorReport, *, limit: int | None) -> None:
    """Create what has no id of Stripe's yet, at most `limit` customers, and keep the ids.

    Everything carries our reference in its metadata: what an interrupted run created is found by
    it the next time, before anything is created again.

    Raises:
        MirrorError: the key is a live one, or Stripe cannot be reached.
    """
    if settings.STRIPE_API_KEY.startswith(("sk_live_", "rk_live_")):
        raise MirrorError(
            "Subscriptions would bill real customers: --create works in test mode only."
        )
    customers = Customer.objects.filter(stripe_customer_id=None).order_by("pk")[:limit]
    subscriptions = (
        Subscription.objects.filter(
            stripe_subscription_id=None, customer__stripe_customer_id__isnull=False
        )
        .exclude(status__in=Subscription.ENDED)
        .order_by("pk")[:limit]
    )
    if settings.STRIPE_IS_SANDBOX:
        for several in _chunks(customers):
            report.customers_created += _keep(several, _seed_customers(several))
        for some in _chunks(subscriptions):
            report.subscriptions_created += _keep(some, _seed_subscriptions(some))
    else:
        _create_by_calls(calls, report, customers, subscriptions)


def _create_by_calls(calls: Calls, report: MirrorReport, customers: Any, subs: Any) -> None:
    with ThreadPoolExecutor(settings.STRIPE_CALLS_IN_FLIGHT) as pool:

        def create(rows: Sequence[R], one: Callable[[R], str]) -> int:
            return _keep(rows, list(pool.map(lambda row: _attempt(one, row, report), rows)))

        for several in _chunks(customers):
            report.customers_created += create(several, lambda c: _create_customer(calls, c))
        for some in _chunks(subs):
            for plan in {subscription.plan for subscription in some}:
                calls.create_product(_product(plan), plan)
            report.subscriptions_created += create(some, lambda s: _create_subscription(calls, s))


def _chunks(rows: Any) -> Iterator[list[Any]]:
    # A list of keys first: rows that get their id would fall out of the query while it is read.
    keys = iter(list(rows.values_list("pk", flat=True)))
    while chunk := list(islice(keys, AT_ONCE)):
        found = rows.model.objects.filter(pk__in=chunk).order_by("pk")
        if rows.model is Subscription:
            found = found.select_related("customer")
        yield list(found)


def _keep(rows: Sequence[Model], stripe_ids: Sequence[str | None]) -> int:
    """Store the ids that Stripe gave; how many there are."""
    if not rows:
        return 0
    field = "stripe_customer_id" if isinstance(rows[0], Customer) else "stripe_subscription_id"
    made = []
    for row, stripe_id in zip(rows, stripe_ids, strict=True):
        if stripe_id is not None:
            setattr(row, field, stripe_id)
            made.append(row)
    type(rows[0])._default_manager.bulk_update(made, [field])
    return len(made)


def _attempt(create: Callable[[R], str], row: R, report: MirrorReport) -> str | None:
    try:
        return create(row)
    except RefusedError as error:
        report.failed.append(Skipped(str(getattr(row, "reference", row.pk)), str(error)))
        return None


def _create_customer(calls: Calls, customer: Customer) -> str:
    params = _customer_params(customer)
    return calls.create_customer(params, key=_key("customer", customer.reference, params))


def _create_subscription(calls: Calls, subscription: Subscription) -> str:
    params = _subscription_params(subscription)
    params["customer"] = subscription.customer.stripe_customer_id
    params["items"][0]["price_data"]["product"] = _product(subscription.plan)
    # No card is known: an invoice by mail, far away, instead of a charge that fails now.
    params |= {"collection_method": "send_invoice", "days_until_due": 30}
    return calls.create_subscription(
        params, key=_key("subscription", subscription.reference, params)
    )


def _key(kind: str, reference: str, params: dict[str, Any]) -> str:
    """The same for the same request, so that a repeated run gets the first one's answer."""
    told = json.dumps([kind, reference, params], sort_keys=True)
    return f"amends-mirror-{kind}-{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def _product(plan: str) -> str:
    return f"amends_{hashlib.sha256(plan.encode()).hexdigest()[:24]}"


def _customer_params(customer: Customer) -> dict[str, Any]:
    params: dict[str, Any] = {
        "metadata": {"reference": customer.reference},
        "preferred_locales": [customer.language],
    }
    if customer.name:
        params["name"] = customer.name
    if customer.email:
        params["email"] = customer.email
    if customer.country:
        params["address"] = {"country": customer.country}
    return params


def _subscription_params(subscription: Subscription) -> dict[str, Any]:
    recurring = {"interval": "month", "interval_count": subscription.interval_months}
    if subscription.interval_months == Subscription.Interval.YEAR:
        recurring = {"interval": "year", "interval_count": 1}
    params: dict[str, Any] = {
        "items": [
            {
                "price_data": {
                    "currency": subscription.currency.lower(),
                    "unit_amount": subscription.fee_minor,
                    "recurring": recurring,
                }
            }
        ],
        "metadata": {"reference": subscription.reference, "plan": subscription.plan},
    }
    trial_end = subscription.trial_end
    is_trialing = subscription.status == Subscription.Status.TRIALING
    if is_trialing and trial_end is not None and trial_end > timezone.now():
        params["trial_end"] = int(trial_end.timestamp())
    return params


# --- the sandbox takes many at once ------------------------------------------------------------


def _seed_customers(customers: Sequence[Customer]) -> list[str]:
    records = [
        {"reference": customer.reference, "customer": _customer_params(customer)}
        for customer in customers
    ]
    return [str(made["customer"]) for made in _seed(records)]


def _seed_subscriptions(subscriptions: Sequence[Subscription]) -> list[str]:
    records = []
    for subscription in subscriptions:
        params = _subscription_params(subscription)
        params["items"][0]["price_data"]["product_data"] = {
            "id": _product(subscription.plan),
            "name": subscription.plan,
        }
        params["start_date"] = int(subscription.started_at.timestamp())
        records.append(
            {
                "reference": subscription.reference,
                "customer": {"id": subscription.customer.stripe_customer_id},
                "subscription": params,
            }
        )
    return [str(made["subscription"]) for made in _seed(records)]


def _seed(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The sandbox's door for many customers at once (docs/stripe-sandbox.md)."""
    address = urlsplit(settings.STRIPE_API_BASE)
    line = HTTPConnection(address.hostname or "", address.port, timeout=SEED_TIMEOUT_SECONDS)
    try:
        line.request(
            "POST", "/_sandbox/seed", json.dumps(records), {"Content-Type": "application/json"}
        )
        answer = line.getresponse()
        text = answer.read()
    except (OSError, HTTPException) as error:
        raise MirrorError(
            f"The sandbox at {settings.STRIPE_API_BASE} does not answer: {error}"
        ) from None
    finally:
        line.close()
    if answer.status != 200:  # noqa: PLR2004
        raise MirrorError(f"The sandbox refused: {text.decode(errors='replace')[:500]}")
    return list(json.loads(text)["data"])
