"""The customer's side of the desk: the account pages, the public form, surveys, privacy."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from support.models import PrivacyRequest, Survey
from support.tokens import hash_of, token_for
from tests.permissions.actors import CUSTOMER, EVERYBODY
from tests.permissions.desk.tickets import SEES_DESK
from tests.permissions.rows import ADMINISTRATOR, AUDITS, NO_ONE, Row, admin, form, pages
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
    yield from admin_rows()


def admin_rows() -> Iterator[Row]:
    yield from pages("support", "survey", "survey", see=SEES_DESK)
    yield from pages("support", "privacyrequest", "privacy_request", see=AUDITS)
    yield from form("support_privacyrequest_person", ADMINISTRATOR)
    yield from admin("support_privacyrequest_export", ADMINISTRATOR)
    yield from admin("support_privacyrequest_erase", ADMINISTRATOR)


def world(made: dict[str, Any]) -> dict[str, Any]:
    ticket = TicketFactory.create()
    token = token_for("survey", f"csat:{ticket.pk}")
    survey = Survey.objects.create(kind=Survey.Kind.CSAT, ticket=ticket, token_hash=hash_of(token))
    record = PrivacyRequest.objects.create(
        kind=PrivacyRequest.Kind.EXPORT, customer=ticket.customer, finished_at=timezone.now()
    )
    return {"survey_token": token, "survey": survey.pk, "privacy_request": record.pk}
