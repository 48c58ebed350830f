"""Customers. Their balance is negative for a credit, and they have one currency for life.

Source: https://docs.stripe.com/api/customers
"""

from typing import Any

from backoffice.stripe_sandbox import events, ids, parameters
from backoffice.stripe_sandbox.errors import missing_resource
from backoffice.stripe_sandbox.listing import equals, listed
from backoffice.stripe_sandbox.parameters import Params, Schema
from backoffice.stripe_sandbox.resources import balances, subscriptions
from backoffice.stripe_sandbox.resources.holders import blank, living
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

_ADDRESS = Schema(
    dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), parameters.text())
)
_SHIPPING = Schema(
    {
        "name": parameters.text(),
        "phone": parameters.text(20),
        "address": parameters.nested(_ADDRESS),
    },
    required=("name", "address"),
)
_FIELDS: dict[str, parameters.Check] = {
    "name": parameters.text(256),
    "email": parameters.text(512),
    "phone": parameters.text(20),
    "description": parameters.text(),
    "metadata": parameters.metadata,
    "balance": parameters.integer(),
    "address": parameters.nested(_ADDRESS, may_unset=True),
    "shipping": parameters.nested(_SHIPPING, may_unset=True),
    "preferred_locales": parameters.listed(parameters.text(20)),
    "tax_exempt": parameters.choice("none", "exempt", "reverse"),
}
CREATE = parameters.single(_FIELDS)
UPDATE = parameters.single(_FIELDS)
PLAIN = parameters.single()
LIST = parameters.listing({"email": parameters.text(512)})


def create(world: World, params: Params) -> StripeObject:
    balance = params.pop("balance", 0)
    customer = blank(ids.new("cus"), world.now())
    apply(customer, params)
    world.store.add("customers", customer)
    events.record(world, "customer.created", customer)
    if balance:
        balances.set_balance(world, customer, balance, kind="initial")
    return customer


def retrieve(world: World, params: Params, identifier: str) -> StripeObject:
    """A deleted customer still answers, with nothing but ``deleted: true``."""
    customer = world.store.find("customers", identifier)
    if customer is None:
        raise missing_resource("customer", identifier)
    return customer


def update(world: World, params: Params, identifier: str) -> StripeObject:
    customer = living(world, identifier)
    before = dict(customer)
    balance = params.pop("balance", customer["balance"])
    apply(customer, params)
    if balance != customer["balance"]:
        balances.set_balance(world, customer, balance, kind="adjustment")
    changed = events.changes(before, customer)
    if changed:
        world.store.replace("customers", customer)
        events.record(world, "customer.updated", customer, changed)
    return customer


def delete(world: World, params: Params, identifier: str) -> StripeObject:
    """Gone for good: its subscriptions end, and its transactions answer 404 from now on."""
    customer = living(world, identifier)
    subscriptions.end_all_of(world, identifier)
    events.record(world, "customer.deleted", customer)
    gone = {"id": identifier, "object": "customer", "deleted": True}
    world.store.replace("customers", gone)
    return gone


def list_page(world: World, params: Params) -> StripeObject:
    conditions = [("deleted IS NOT ?", True), *equals(params, "email")]
    return listed(world, "customers", params, conditions)


def apply(customer: StripeObject, params: dict[str, Any]) -> None:
    for name, value in params.items():
        if name == "expand":
            continue
        if name == "metadata":
            customer[name] = parameters.merged_metadata(customer[name], value)
        else:
            customer[name] = None if value == parameters.UNSET else value
