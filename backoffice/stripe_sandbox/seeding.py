"""Many customers at once, for demos and benchmarks: no events, no webhooks, one transaction.

A record is ``{"reference": .., "customer": {..}, "subscription": {..}}``. Its fields are those of
the API, plus an ``id``, ``product_data`` to name the product of an item's ``price_data``, and for
the subscription a ``start_date`` in the past. The reference may also stand in the customer's
``metadata`` as ``reference``; ids are derived from it, and seeding it again changes nothing.
"""

from dataclasses import dataclass, field
from typing import Any

from backoffice.stripe_sandbox import currencies, ids, parameters
from backoffice.stripe_sandbox.errors import invalid
from backoffice.stripe_sandbox.parameters import Params, Schema
from backoffice.stripe_sandbox.resources import (
    balances,
    customers,
    holders,
    items,
    prices,
    products,
    subscriptions,
    trials,
)
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

_CUSTOMER = Schema({**customers.CREATE.fields, "id": parameters.text(255)})
_PRICE_DATA = Schema(
    {**prices.DATA, "product_data": parameters.nested(prices.PRODUCT)},
    required=("currency", "unit_amount", "recurring"),
)
_ITEM = Schema({**items.CREATE.fields, "price_data": parameters.nested(_PRICE_DATA)})
_SUBSCRIPTION = Schema(
    {
        "id": parameters.text(255),
        "items": parameters.listed(parameters.nested(_ITEM)),
        "metadata": parameters.metadata,
        "description": parameters.text(500),
        "collection_method": subscriptions.CREATE.fields["collection_method"],
        "trial_end": parameters.timestamp,
        "start_date": parameters.timestamp,
    },
    required=("items",),
)


@dataclass
class Seeding:
    """One load; prices and products that were met are remembered."""

    world: World
    _prices: dict[str, StripeObject] = field(default_factory=dict)

    def seed(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The ids made or found: ``reference``, ``customer``, ``subscription``, in order.

        Raises:
            StripeError: 400 for the first record that is wrong; then nothing was made at all.
        """
        self.world.silent = True
        try:
            with self.world.store.transaction():
                return [self._one(record) for record in records]
        finally:
            self.world.silent = False

    def _one(self, record: dict[str, Any]) -> dict[str, Any]:
        given = _CUSTOMER.checked(_as_form(record.get("customer", {})), "customer")
        reference = record.get("reference") or given.get("metadata", {}).get("reference")
        identifier = given.pop("id", None) or _identifier("cus", reference)
        balance = given.pop("balance", 0)
        customer = self.world.store.find("customers", identifier)
        is_new = customer is None
        if customer is None:
            customer = self._add_customer(identifier, given)
        plan = record.get("subscription")
        subscription = self._subscription(customer, plan, reference) if plan else None
        if is_new and balance:
            # After the subscription, whose currency the balance then has.
            balances.set_balance(self.world, customer, balance, kind="initial")
        return {"reference": reference, "customer": identifier, "subscription": subscription}

    def _add_customer(self, identifier: str, given: Params) -> StripeObject:
        customer = holders.blank(identifier, self.world.now())
        customers.apply(customer, given)
        self.world.store.add("customers", customer)
        return customer

    def _subscription(
        self, customer: StripeObject, plan: dict[str, Any], reference: str | None
    ) -> str:
        given = _SUBSCRIPTION.checked(_as_form(plan), "subscription")
        identifier: str = given.get("id") or _identifier("sub", reference)
        if self.world.store.seq("subscriptions", identifier) is not None:
            return identifier
        start = given.get("start_date", self.world.now())
        made = [
            items.new_item(
                f"si_{identifier[4:]}{number}", self._price(item), item, identifier, start
            )
            for number, item in enumerate(given["items"])
        ]
        items.check_currencies(made)
        subscription = subscriptions.blank(identifier, customer["id"], made, start)
        subscriptions.apply(subscription, given)
        if "trial_end" in given:
            trials.set_trial(subscription, given["trial_end"], self.world.now())
        trials.settle(subscription, self.world.now())
        if holders.claim_currency(customer, subscription["currency"]):
            self.world.store.replace("customers", customer)
        self.world.store.add("subscriptions", subscription)
        return identifier

    def _price(self, item: Params) -> StripeObject:
        if "price" in item:
            return prices.existing(self.world, item["price"], param="price", status=400)
        if "price_data" not in item:
            raise invalid("An item needs a `price` or `price_data`.", "items")
        data = item["price_data"]
        name = repr(sorted(data.items(), key=lambda pair: pair[0]))
        if name not in self._prices:
            self._prices[name] = self._find_or_add_price(name, data)
        return self._prices[name]

    def _find_or_add_price(self, name: str, data: Params) -> StripeObject:
        identifier = ids.from_reference("price", name)
        found = self.world.store.find("prices", identifier)
        if found is not None:
            return found
        currencies.check_amount(data["unit_amount"], data["currency"], "unit_amount")
        product = self._product(data)
        price = prices.blank(identifier, {**data, "product": product}, self.world.now())
        self.world.store.add("prices", price)
        return price

    def _product(self, data: Params) -> str:
        if "product" in data:
            found = products.existing(self.world, data["product"], param="product", status=400)
            return str(found["id"])
        if "product_data" not in data:
            raise invalid("A price needs a `product` or `product_data`.", "product")
        name = data["product_data"]["name"]
        identifier: str = data["product_data"].get("id") or ids.from_reference("prod", name)
        if self.world.store.seq("products", identifier) is None:
            self.world.store.add("products", products.blank(identifier, name, self.world.now()))
        return identifier


def _identifier(prefix: str, reference: str | None) -> str:
    return ids.from_reference(prefix, reference) if reference else ids.new(prefix)


def _as_form(value: Any) -> Any:
    """JSON in the shape that a parsed form has, so that the API's own checks apply."""
    if isinstance(value, dict):
        return {name: _as_form(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return {str(index): _as_form(item) for index, item in enumerate(value)}
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
