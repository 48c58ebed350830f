"""Products.

Source: https://docs.stripe.com/api/products
"""

import sqlite3
from typing import Any

from backoffice.stripe_sandbox import events, ids, parameters
from backoffice.stripe_sandbox.errors import invalid, missing_resource
from backoffice.stripe_sandbox.listing import equals, listed, one_of
from backoffice.stripe_sandbox.parameters import Params
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

_FIELDS: dict[str, parameters.Check] = {
    "name": parameters.text(250, may_unset=False),
    "active": parameters.boolean,
    "description": parameters.text(),
    "metadata": parameters.metadata,
    "unit_label": parameters.text(12),
}
CREATE = parameters.single({**_FIELDS, "id": parameters.text(255)}, required=("name",))
UPDATE = parameters.single(_FIELDS)
RETRIEVE = parameters.single()
LIST = parameters.listing(
    {"active": parameters.boolean, "ids": parameters.listed(parameters.text())}
)


def create(world: World, params: Params) -> StripeObject:
    product = blank(params.pop("id", ids.new("prod")), params["name"], world.now())
    _apply(product, params)
    try:
        world.store.add("products", product)
    except sqlite3.IntegrityError:
        raise invalid("Product already exists.", "id", code="resource_already_exists") from None
    events.record(world, "product.created", product)
    return product


def retrieve(world: World, params: Params, identifier: str) -> StripeObject:
    return existing(world, identifier)


def update(world: World, params: Params, identifier: str) -> StripeObject:
    product = existing(world, identifier)
    before = dict(product)
    _apply(product, params)
    product["updated"] = world.now()
    world.store.replace("products", product)
    events.record(world, "product.updated", product, events.changes(before, product))
    return product


def list_page(world: World, params: Params) -> StripeObject:
    conditions = [*equals(params, "active"), *one_of("id", params.get("ids"))]
    return listed(world, "products", params, conditions)


def existing(
    world: World, identifier: str, *, param: str = "id", status: int = 404
) -> StripeObject:
    product = world.store.find("products", identifier)
    if product is None:
        raise missing_resource("product", identifier, param=param, status=status)
    return product


def blank(identifier: str, name: str, created: int) -> StripeObject:
    return {
        "id": identifier,
        "object": "product",
        "active": True,
        "created": created,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": created,
        "url": None,
    }


def _apply(product: StripeObject, params: dict[str, Any]) -> None:
    for name, value in params.items():
        if name == "metadata":
            product[name] = parameters.merged_metadata(product[name], value)
        elif name != "expand":
            product[name] = None if value == parameters.UNSET else value
