"""Subscriptions. The current period stands on the items, as in API versions since 2025-03-31.

Collection is not played: a new subscription is active (or trialing) at once and makes no invoice;
the control door that bills does. Source: https://docs.stripe.com/api/subscriptions
"""

import copy

from backoffice.stripe_sandbox import events, ids, listing, parameters
from backoffice.stripe_sandbox.errors import invalid, missing_resource
from backoffice.stripe_sandbox.parameters import Params, Schema
from backoffice.stripe_sandbox.resources import holders, items, trials
from backoffice.stripe_sandbox.store import Condition, Page, StripeObject
from backoffice.stripe_sandbox.world import World

_PRORATION = parameters.choice("create_prorations", "none", "always_invoice")
_COLLECTION = parameters.choice("charge_automatically", "send_invoice")
_FIELDS: dict[str, parameters.Check] = {
    "metadata": parameters.metadata,
    "description": parameters.text(500),
    "cancel_at_period_end": parameters.boolean,
    "collection_method": _COLLECTION,
    "days_until_due": parameters.integer(0),
    "proration_behavior": _PRORATION,
    "payment_behavior": parameters.choice(
        "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"
    ),
    "off_session": parameters.boolean,
    "trial_end": parameters.now_or_timestamp,
}
_ANCHOR = Schema({"type": parameters.choice("now", "unchanged")}, required=("type",))
_DETAILS = Schema({"comment": parameters.text(), "feedback": parameters.text()})
CREATE = parameters.single(
    {
        **_FIELDS,
        "customer": parameters.text(may_unset=False),
        "items": parameters.listed(parameters.nested(items.CREATE)),
        "currency": parameters.currency,
        "trial_period_days": parameters.integer(1, 730),
        "billing_cycle_anchor": parameters.timestamp,
    },
    required=("customer", "items"),
)
UPDATE = parameters.single(
    {
        **_FIELDS,
        "items": parameters.listed(parameters.nested(items.UPDATE)),
        "billing_cycle_anchor": parameters.nested(_ANCHOR),
        "cancellation_details": parameters.nested(_DETAILS),
    }
)
CANCEL = parameters.single(
    {
        "cancellation_details": parameters.nested(_DETAILS),
        "invoice_now": parameters.boolean,
        "prorate": parameters.boolean,
    }
)
RETRIEVE = parameters.single()
_HAS_PRICE = (
    "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') "
    "WHERE json_extract(value, '$.price.id') = ?)"
)
_STATUSES = (
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
)
LIST = parameters.listing(
    {
        "customer": parameters.text(),
        "status": parameters.choice(*_STATUSES),
        "price": parameters.text(),
        "collection_method": _COLLECTION,
    }
)


def create(world: World, params: Params) -> StripeObject:
    now = world.now()
    if "trial_end" in params and "trial_period_days" in params:
        raise invalid("You can't pass both `trial_end` and `trial_period_days`.", "trial_end")
    customer = holders.living(world, params["customer"], status=400)
    identifier = ids.new("sub")
    made = items.create_all(world, params["items"], identifier)
    subscription = blank(identifier, customer["id"], made, now)
    apply(subscription, params)
    if "billing_cycle_anchor" in params:
        _set_anchor(subscription, params["billing_cycle_anchor"], now)
    trial_end = params.get("trial_end")
    if "trial_period_days" in params:
        trial_end = now + params["trial_period_days"] * 86_400
    if trial_end not in (None, "now"):
        trials.set_trial(subscription, trials.checked_end(trial_end, now), now)
    if holders.claim_currency(customer, subscription["currency"]):
        world.store.replace("customers", customer)
    world.store.add("subscriptions", subscription)
    events.record(world, "customer.subscription.created", subscription)
    return subscription


def retrieve(world: World, params: Params, identifier: str) -> StripeObject:
    return existing(world, identifier)


def update(world: World, params: Params, identifier: str) -> StripeObject:
    subscription = existing(world, identifier)
    before = copy.deepcopy(subscription)
    if subscription["status"] == "canceled" and set(params) - {
        "metadata",
        "cancellation_details",
        "expand",
    }:
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    apply(subscription, params)
    if "items" in params:
        items.change(world, subscription, params["items"])
    if params.get("billing_cycle_anchor", {}).get("type") == "now":
        _set_anchor(subscription, world.now(), world.now())
    if "trial_end" in params:
        proration = params.get("proration_behavior", "create_prorations")
        trials.change_trial(world, subscription, params["trial_end"], proration)
    world.store.replace("subscriptions", subscription)
    changed = events.changes(before, subscription)
    events.record(world, "customer.subscription.updated", subscription, changed)
    return subscription


def cancel(world: World, params: Params, identifier: str) -> StripeObject:
    subscription = existing(world, identifier)
    if subscription["status"] == "canceled":
        raise missing_resource("subscription", identifier)
    subscription["cancellation_details"].update(params.get("cancellation_details", {}))
    return _end(world, subscription)


def list_page(world: World, params: Params) -> StripeObject:
    now = world.now()
    conditions = [
        *listing.equals(params, "customer", "collection_method"),
        *_status_conditions(params.get("status"), now),
    ]
    if "price" in params:
        conditions.append((_HAS_PRICE, params["price"]))
    page = listing.listed(world, "subscriptions", params, conditions)
    for subscription in page["data"]:
        trials.settle(subscription, now)
    return page


def existing(world: World, identifier: str) -> StripeObject:
    """The subscription as it stands now, or 404."""
    subscription = world.store.find("subscriptions", identifier)
    if subscription is None:
        raise missing_resource("subscription", identifier)
    trials.settle(subscription, world.now())
    return subscription


def of_customer(world: World, customer: str, limit: int = 10) -> tuple[list[StripeObject], bool]:
    """The customer's subscriptions that have not ended, newest first; and whether more exist."""
    conditions: list[Condition] = [("customer = ?", customer), ("status <> ?", "canceled")]
    found, more = world.store.page("subscriptions", Page(limit=limit, conditions=conditions))
    for subscription in found:
        trials.settle(subscription, world.now())
    return found, more


def end_all_of(world: World, customer: str) -> None:
    """What happens to the subscriptions of a customer that is deleted."""
    for subscription in of_customer(world, customer, limit=500)[0]:
        _end(world, subscription)


def blank(identifier: str, customer: str, made: list[StripeObject], start: int) -> StripeObject:
    """An active subscription to these items, begun at ``start`` (Unix seconds)."""
    url = f"/v1/subscription_items?subscription={identifier}"
    return {
        "id": identifier,
        "object": "subscription",
        "application": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": start,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"type": "classic"},
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": start,
        "currency": made[0]["price"]["currency"],
        "customer": customer,
        "days_until_due": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "items": {**listing.envelope(made, url), "total_count": len(made)},
        "latest_invoice": None,
        "livemode": False,
        "metadata": {},
        "pause_collection": None,
        "schedule": None,
        "start_date": start,
        "status": "active",
        "test_clock": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    }


def _status_conditions(status: str | None, now: int) -> list[Condition]:
    """As stored, a trial that is over is still trialing, so time has its say in the filter."""
    if status is None:
        return [("status <> ?", "canceled")]
    if status == "active":
        return [("(status = 'active' OR (status = 'trialing' AND trial_end <= ?))", now)]
    if status == "trialing":
        return [("status = 'trialing' AND trial_end > ?", now)]
    if status == "ended":
        return [("status = ?", "canceled")]
    return [] if status == "all" else [("status = ?", status)]


def apply(subscription: StripeObject, params: Params) -> None:
    if "metadata" in params:
        subscription["metadata"] = parameters.merged_metadata(
            subscription["metadata"], params["metadata"]
        )
    subscription["cancellation_details"].update(params.get("cancellation_details", {}))
    for name in ("description", "collection_method", "days_until_due"):
        if name in params:
            subscription[name] = None if params[name] == parameters.UNSET else params[name]
    if "cancel_at_period_end" in params:
        ends = max(item["current_period_end"] for item in subscription["items"]["data"])
        subscription["cancel_at_period_end"] = params["cancel_at_period_end"]
        subscription["cancel_at"] = ends if params["cancel_at_period_end"] else None


def _set_anchor(subscription: StripeObject, anchor: int, now: int) -> None:
    if anchor < now:
        raise invalid("billing_cycle_anchor cannot be in the past.", "billing_cycle_anchor")
    subscription["billing_cycle_anchor"] = anchor
    for item in subscription["items"]["data"]:
        item["current_period_start"], item["current_period_end"] = now, anchor
    trials.settle(subscription, now)


def _end(world: World, subscription: StripeObject) -> StripeObject:
    now = world.now()
    subscription.update(status="canceled", canceled_at=now, ended_at=now)
    subscription["cancellation_details"]["reason"] = "cancellation_requested"
    world.store.replace("subscriptions", subscription)
    events.record(world, "customer.subscription.deleted", subscription)
    return subscription
