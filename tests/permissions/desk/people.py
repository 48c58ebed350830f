"""The customer's side of the desk: the account pages, the public form, surveys, privacy."""

from collections.abc import Iterator
from typing import Any

from tests.permissions.actors import CUSTOMER
from tests.permissions.rows import NO_ONE, Row

CUSTOMERS = frozenset({CUSTOMER})


def rows() -> Iterator[Row]:
    yield Row("portal-requests", CUSTOMERS)
    yield Row("portal-request-new", CUSTOMERS)
    yield Row("portal-request-new", CUSTOMERS, "POST")
    # Another customer's.
    yield Row("portal-request", NO_ONE, args={"pk": "ticket"})
    yield Row("portal-request", NO_ONE, "POST", args={"pk": "ticket"})
    yield Row("portal-request-solve", NO_ONE, "POST", args={"pk": "ticket"})
    yield Row("portal-attachment", NO_ONE, args={"pk": "=1"})


def world(made: dict[str, Any]) -> dict[str, Any]:
    return {}
