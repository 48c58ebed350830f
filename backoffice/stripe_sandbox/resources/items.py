"""Subscription items: one price each, by id or inline, and the period they are billed for."""

from typing import Any

from backoffice.stripe_sandbox import ids, parameters, periods
from backoffice.stripe_sandbox.errors import invalid, missing_resource
from backoffice.stripe_sandbox.parameters import Params, Schema
from backoffice.stripe_sandbox.resources import prices, products
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

_INLINE_PRICE = Schema(prices.DATA, required=("currency", "unit_amount", "product", "recurring"))
_FIELDS: dict[str, parameters.Check] = {
    "price": parameters.text(may_unset=False),
    "price_data": parameters.nested(_INLINE_PRICE),
    "quantity": parameters.integer(0),
    "metadata": parameters.metadata,
}
CREATE = Schema(_FIELDS)
UPDATE = Schema({**_FIELDS, "id": parameters.text(may_unset=False), "deleted": parameters.boolean})


def create_all(world: World, given: list[Params], subscription: str) -> list[StripeObject]:
    """The items of a new subscription, billed from now on; their prices share one currency."""
    if not given:
        raise invalid("Missing required param: items.", "items", code="parameter_missing")
    made = [_create(world, item, subscription, number) for number, item in enumerate(given)]
    check_currencies(made)
    return made


def change(world: World, subscription: StripeObject, changes: list[Params]) -> None:
    """Change, add or remove items of a subscription; the period stays as it is."""
    items = subscription["items"]["data"]
    for number, given in enumerate(changes):
        if "id" not in given:
            items.append(_create(world, given, subscription["id"], number))
            continue
        item = next((item for item in items if item["id"] == given["id"]), None)
        if item is None:
            raise missing_resource(
                "subscription item", given["id"], param=f"items[{number}][id]", status=400
            )
        if given.get("deleted"):
            items.remove(item)
        else:
            _update(world, item, given, number)
    check_currencies(items)


def check_currencies(items: list[StripeObject]) -> None:
    if len({item["price"]["currency"] for item in items}) != 1:
        raise invalid("All prices on a subscription must have the same currency.", "items")


def _create(world: World, given: Params, subscription: str, number: int) -> StripeObject:
    return new_item(ids.new("si"), _price(world, given, number), given, subscription, world.now())


def new_item(
    identifier: str, price: StripeObject, given: dict[str, Any], subscription: str, start: int
) -> StripeObject:
    """An item whose first period begins at ``start`` (Unix seconds)."""
    recurring = price["recurring"]
    end = periods.shifted(start, recurring["interval"], recurring["interval_count"])
    return {
        "id": identifier,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": start,
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": parameters.merged_metadata({}, given.get("metadata", {})),
        "price": price,
        "quantity": given.get("quantity", 1),
        "subscription": subscription,
        "tax_rates": [],
    }


def _update(world: World, item: StripeObject, given: Params, number: int) -> None:
    if "price" in given or "price_data" in given:
        item["price"] = _price(world, given, number)
    item["quantity"] = given.get("quantity", item["quantity"])
    if "metadata" in given:
        item["metadata"] = parameters.merged_metadata(item["metadata"], given["metadata"])


def _price(world: World, given: Params, number: int) -> StripeObject:
    name = f"items[{number}][price]"
    if isinstance(given.get("price_data"), dict):
        products.existing(
            world,
            given["price_data"]["product"],
            param=f"items[{number}][price_data][product]",
            status=400,
        )
        return prices.add(world, dict(given["price_data"]))
    if "price" not in given:
        raise invalid(f"Missing required param: {name}.", name, code="parameter_missing")
    price = prices.existing(world, given["price"], param=name, status=400)
    if price["recurring"] is None:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices "
            "with `type=recurring`.",
            name,
        )
    return price
