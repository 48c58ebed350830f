"""List answers: newest first, cursors, creation time, and Stripe's list object around them."""

import json
from typing import Any

from backoffice.stripe_sandbox.errors import invalid, missing_resource
from backoffice.stripe_sandbox.parameters import Params
from backoffice.stripe_sandbox.store import Condition, Page, StripeObject
from backoffice.stripe_sandbox.world import World

_NOUNS = {
    "customers": "customer",
    "products": "product",
    "prices": "price",
    "subscriptions": "subscription",
    "balance_transactions": "customer balance transaction",
    "invoices": "invoice",
    "events": "event",
}
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def listed(
    world: World,
    kind: str,
    params: Params,
    conditions: list[Condition],
    url: str | None = None,
) -> StripeObject:
    """The page that ``limit``, ``starting_after``, ``ending_before`` and ``created`` ask for."""
    page = Page(limit=params.get("limit", 10), conditions=list(conditions))
    page.conditions += time_conditions("created", params.get("created", {}))
    if "starting_after" in params and "ending_before" in params:
        raise invalid(
            "You can't use `starting_after` and `ending_before` together.", "ending_before"
        )
    page.older_than = _cursor(world, kind, params, "starting_after")
    page.newer_than = _cursor(world, kind, params, "ending_before")
    things, has_more = world.store.page(kind, page)
    return envelope(things, url or f"/v1/{kind}", has_more=has_more)


def envelope(things: list[Any], url: str, *, has_more: bool = False) -> StripeObject:
    return {"object": "list", "data": things, "has_more": has_more, "url": url}


def time_conditions(column: str, bounds: dict[str, int]) -> list[Condition]:
    return [(f"{column} {_COMPARISONS[name]} ?", value) for name, value in bounds.items()]


def equals(params: Params, *names: str) -> list[Condition]:
    """Conditions for the filters that were given and are plain comparisons with a column."""
    return [(f"{name} = ?", params[name]) for name in names if name in params]


def one_of(column: str, values: list[str] | None) -> list[Condition]:
    """A condition for a filter that takes several values; none when it was not given."""
    if values is None:
        return []
    wanted = "IN (SELECT value FROM json_each(?))"
    return [(f"{column} {wanted}", json.dumps(values))]


def _cursor(world: World, kind: str, params: Params, name: str) -> int | None:
    if name not in params:
        return None
    seq = world.store.seq(kind, params[name])
    if seq is None:
        raise missing_resource(_NOUNS[kind], params[name], param=name, status=400)
    return seq
