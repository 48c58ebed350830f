"""Prices: per unit, once or recurring.

Source: https://docs.stripe.com/api/prices
"""

from backoffice.stripe_sandbox import currencies, events, ids, parameters
from backoffice.stripe_sandbox.errors import invalid, missing_resource
from backoffice.stripe_sandbox.listing import equals, listed, one_of
from backoffice.stripe_sandbox.parameters import Params, Schema
from backoffice.stripe_sandbox.resources import products
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

_RECURRING = Schema(
    {
        "interval": parameters.choice("day", "week", "month", "year"),
        "interval_count": parameters.integer(1, 156),
        "usage_type": parameters.choice("licensed"),
    },
    required=("interval",),
)
PRODUCT = Schema(
    {
        "name": parameters.text(250, may_unset=False),
        "id": parameters.text(255),
        "metadata": parameters.metadata,
    },
    required=("name",),
)
DATA: dict[str, parameters.Check] = {
    "currency": parameters.currency,
    "unit_amount": parameters.integer(0, currencies.LARGEST_AMOUNT),
    "product": parameters.text(may_unset=False),
    "recurring": parameters.nested(_RECURRING),
}
"""What a price is made of; also taken inline as ``price_data``."""
_EDITABLE: dict[str, parameters.Check] = {
    "active": parameters.boolean,
    "lookup_key": parameters.text(200),
    "metadata": parameters.metadata,
    "nickname": parameters.text(),
}
CREATE = parameters.single(
    {**DATA, **_EDITABLE, "product_data": parameters.nested(PRODUCT)},
    required=("currency", "unit_amount"),
)
UPDATE = parameters.single(_EDITABLE)
RETRIEVE = parameters.single()
LIST = parameters.listing(
    {
        "active": parameters.boolean,
        "product": parameters.text(),
        "currency": parameters.currency,
        "type": parameters.choice("one_time", "recurring"),
        "lookup_keys": parameters.listed(parameters.text(200)),
    }
)


def create(world: World, params: Params) -> StripeObject:
    if "product_data" in params:
        product = products.create(world, params.pop("product_data"))["id"]
    elif "product" in params:
        product = products.existing(world, params["product"], param="product", status=400)["id"]
    else:
        raise invalid(
            "Must provide either `product` or `product_data`.", "product", code="parameter_missing"
        )
    return add(world, {**params, "product": product})


def add(world: World, params: Params) -> StripeObject:
    """A new price of a product that exists. Amount in minor units of its currency."""
    currencies.check_amount(params["unit_amount"], params["currency"], "unit_amount")
    price = blank(params.pop("id", ids.new("price")), params, world.now())
    world.store.add("prices", price)
    events.record(world, "price.created", price)
    return price


def retrieve(world: World, params: Params, identifier: str) -> StripeObject:
    return existing(world, identifier)


def update(world: World, params: Params, identifier: str) -> StripeObject:
    price = existing(world, identifier)
    before = dict(price)
    for name in ("active", "lookup_key", "nickname"):
        if name in params:
            price[name] = None if params[name] == parameters.UNSET else params[name]
    if "metadata" in params:
        price["metadata"] = parameters.merged_metadata(price["metadata"], params["metadata"])
    world.store.replace("prices", price)
    events.record(world, "price.updated", price, events.changes(before, price))
    return price


def list_page(world: World, params: Params) -> StripeObject:
    conditions = equals(params, "active", "product", "currency", "type")
    conditions += one_of("lookup_key", params.get("lookup_keys"))
    return listed(world, "prices", params, conditions)


def existing(
    world: World, identifier: str, *, param: str = "id", status: int = 404
) -> StripeObject:
    price = world.store.find("prices", identifier)
    if price is None:
        raise missing_resource("price", identifier, param=param, status=status)
    return price


def blank(identifier: str, params: Params, created: int) -> StripeObject:
    recurring = params.get("recurring")
    return {
        "id": identifier,
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": "per_unit",
        "created": created,
        "currency": params["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": params.get("lookup_key") or None,
        "metadata": parameters.merged_metadata({}, params.get("metadata", {})),
        "nickname": params.get("nickname") or None,
        "product": params["product"],
        "recurring": {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        }
        if recurring
        else None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": params["unit_amount"],
        "unit_amount_decimal": str(params["unit_amount"]),
    }
