"""``expand[]``: ids replaced by the objects they name, at most four levels deep."""

from typing import Any

from backoffice.stripe_sandbox import listing
from backoffice.stripe_sandbox.errors import invalid
from backoffice.stripe_sandbox.resources import subscriptions, trials
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

DEEPEST = 4
_KIND_OF_FIELD = {
    "customer": "customers",
    "invoice": "invoices",
    "latest_invoice": "invoices",
    "product": "products",
    "default_price": "prices",
    "subscription": "subscriptions",
}


def expand(world: World, answer: StripeObject, paths: list[str]) -> None:
    """Fill in each path, such as ``customer`` or ``data.items.data.price.product``, in place."""
    for path in paths:
        steps = path.split(".")
        if len([step for step in steps if step != "data"]) > DEEPEST:
            raise invalid("You cannot expand more than 4 levels of a property.", "expand")
        _follow(world, answer, steps, path)


def _follow(world: World, here: Any, steps: list[str], path: str) -> None:
    if not steps or here is None:
        return
    if isinstance(here, list):
        for item in here:
            _follow(world, item, steps, path)
        return
    step, *rest = steps
    if step == "subscriptions" and here.get("object") == "customer":
        here.setdefault(step, _subscriptions_of(world, here["id"]))
    if step not in here:
        raise invalid(f"This property cannot be expanded ({path}).", "expand[0]")
    if isinstance(here[step], str):
        here[step] = _object(world, step, here[step], path)
    elif not rest and not isinstance(here[step], dict | list | None):
        raise invalid(f"This property cannot be expanded ({path}).", "expand[0]")
    _follow(world, here[step], rest, path)


def _object(world: World, step: str, identifier: str, path: str) -> StripeObject | None:
    kind = _KIND_OF_FIELD.get(step)
    if kind is None:
        raise invalid(f"This property cannot be expanded ({path}).", "expand[0]")
    found = world.store.find(kind, identifier)
    if found and kind == "subscriptions":
        trials.settle(found, world.now())
    return found


def _subscriptions_of(world: World, customer: str) -> StripeObject:
    found, more = subscriptions.of_customer(world, customer)
    url = f"/v1/customers/{customer}/subscriptions"
    return listing.envelope(found, url, has_more=more)
