"""The customer's side of the desk: the account pages, the public form, surveys, privacy."""

from collections.abc import Iterator
from typing import Any

from support.models import Survey
from support.tokens import hash_of, token_for
from tests.permissions.actors import CUSTOMER, EVERYBODY
from tests.permissions.rows import NO_ONE, Row
from tests.support.factories import TicketFactory

CUSTOMERS = frozenset({CUSTOMER})


def rows() -> Iterator[Row]:
    yield Row("contact", EVERYBODY)
    yield Row("contact-challenge", EVERYBODY)
    yield Row("contact-sent", EVERYBODY)
    yield Row("contact-confirm", NO_ONE, args={"token": "=never-was"})
    yield Row("contact-confirm", NO_ONE, "POST", args={"token": "=never-was"})
    yield Row("survey", NO_ONE, args={"token": "=never-was"})
    yield Row("survey", EVERYBODY, args={"token": "survey_token"})
    yield Row("portal-requests", CUSTOMERS)
    yield Row("portal-request-new", CUSTOMERS)
    yield Row("portal-request-new", CUSTOMERS, "POST")
    # Another customer's.
    yield Row("portal-request", NO_ONE, args={"pk": "ticket"})
    yield Row("portal-request", NO_ONE, "POST", args={"pk": "ticket"})
    yield Row("portal-request-solve", NO_ONE, "POST", args={"pk": "ticket"})
    yield Row("portal-request-claim", NO_ONE, "POST", args={"pk": "ticket"})
    yield Row("portal-attachment", NO_ONE, args={"pk": "=1"})


def world(made: dict[str, Any]) -> dict[str, Any]:
    ticket = TicketFactory.create()
    token = token_for("survey", f"csat:{ticket.pk}")
    Survey.objects.create(kind=Survey.Kind.CSAT, ticket=ticket, token_hash=hash_of(token))
    return {"survey_token": token}
