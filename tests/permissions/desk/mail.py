"""The door for mail services, and what came in."""

from collections.abc import Iterator
from typing import Any

from support.models import Inbound
from tests.permissions.desk.tickets import LEAD
from tests.permissions.rows import AUDITS, NO_ONE, Row, pages


def rows() -> Iterator[Row]:
    # Shut while no secret is set; with one, the service shows it.
    for method in ("GET", "POST"):
        yield Row("posted-mail", NO_ONE, method, args={"service": "=mailgun"})
    yield from pages("support", "inbound", "inbound", see=LEAD | AUDITS)


def world(made: dict[str, Any]) -> dict[str, Any]:
    row = Inbound.objects.create(channel="email", external_id="1@example.com", raw=b"Hello.")
    return {"inbound": row.pk}
