"""The table of endpoints: method and path, what it takes, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass

from backoffice.stripe_sandbox.errors import StripeError
from backoffice.stripe_sandbox.parameters import Schema
from backoffice.stripe_sandbox.resources import (
    account,
    balances,
    customers,
    event_log,
    invoices,
    prices,
    products,
    subscriptions,
)
from backoffice.stripe_sandbox.store import StripeObject

Endpoint = Callable[..., StripeObject]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint; ``*`` in the pattern stands for an id, passed on in order."""

    method: str
    pattern: tuple[str, ...]
    schema: Schema
    endpoint: Endpoint


def _route(method: str, pattern: str, schema: Schema, endpoint: Endpoint) -> Route:
    return Route(method, tuple(pattern.split("/")), schema, endpoint)


ROUTES = (
    _route("GET", "account", account.RETRIEVE, account.retrieve),
    _route("GET", "accounts/*", account.RETRIEVE, account.retrieve),
    _route("POST", "customers", customers.CREATE, customers.create),
    _route("GET", "customers", customers.LIST, customers.list_page),
    _route("GET", "customers/*", customers.PLAIN, customers.retrieve),
    _route("POST", "customers/*", customers.UPDATE, customers.update),
    _route("DELETE", "customers/*", customers.PLAIN, customers.delete),
    _route("POST", "customers/*/balance_transactions", balances.CREATE, balances.create),
    _route("GET", "customers/*/balance_transactions", balances.LIST, balances.list_page),
    _route("GET", "customers/*/balance_transactions/*", balances.RETRIEVE, balances.retrieve),
    _route("POST", "customers/*/balance_transactions/*", balances.UPDATE, balances.update),
    _route("POST", "products", products.CREATE, products.create),
    _route("GET", "products", products.LIST, products.list_page),
    _route("GET", "products/*", products.RETRIEVE, products.retrieve),
    _route("POST", "products/*", products.UPDATE, products.update),
    _route("POST", "prices", prices.CREATE, prices.create),
    _route("GET", "prices", prices.LIST, prices.list_page),
    _route("GET", "prices/*", prices.RETRIEVE, prices.retrieve),
    _route("POST", "prices/*", prices.UPDATE, prices.update),
    _route("POST", "subscriptions", subscriptions.CREATE, subscriptions.create),
    _route("GET", "subscriptions", subscriptions.LIST, subscriptions.list_page),
    _route("GET", "subscriptions/*", subscriptions.RETRIEVE, subscriptions.retrieve),
    _route("POST", "subscriptions/*", subscriptions.UPDATE, subscriptions.update),
    _route("DELETE", "subscriptions/*", subscriptions.CANCEL, subscriptions.cancel),
    _route("GET", "invoices", invoices.LIST, invoices.list_page),
    _route("GET", "invoices/*", invoices.RETRIEVE, invoices.retrieve),
    _route("POST", "invoices/*/void", invoices.VOID, invoices.void),
    _route("GET", "events", event_log.LIST, event_log.list_page),
    _route("GET", "events/*", event_log.RETRIEVE, event_log.retrieve),
)
_BY_SHAPE: dict[tuple[str, int, str], list[Route]] = {}
for _each in ROUTES:
    _shape = (_each.method, len(_each.pattern), _each.pattern[0])
    _BY_SHAPE.setdefault(_shape, []).append(_each)


def match(method: str, path: str) -> tuple[Route, list[str]]:
    """The route and the ids in the path; raises StripeError (404) when there is none."""
    parts = path.removeprefix("/v1/").split("/")
    for route in _BY_SHAPE.get((method, len(parts), parts[0]), ()):
        pairs = list(zip(route.pattern, parts, strict=True))
        if all(want in ("*", got) and got for want, got in pairs):
            return route, [got for want, got in pairs if want == "*"]
    raise StripeError(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we "
        "can help at https://support.stripe.com/.",
    )
