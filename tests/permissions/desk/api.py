"""The desk's part of the REST API."""

from collections.abc import Iterator
from typing import Any

from support.attachments import store_attachment
from support.models import Calendar, IncidentMatch, Macro, MassReply, SlaPolicy, Survey, Ticket
from tests.permissions.rows import Row, api

READ, WRITE = "tickets:read", "tickets:write"


def rows() -> Iterator[Row]:
    yield from api("ticket-list GET", READ)
    yield from api("ticket-list POST", WRITE)
    yield from api("ticket-detail GET", READ, "number=ticket_number")
    yield from api("ticket-detail PATCH", WRITE, "number=ticket_number")
    for name in ("messages", "events"):
        yield from api(f"ticket-{name} GET", READ, "number=ticket_number")
    for name in ("messages", "reply", "note", "merge", "incident", "actions"):
        yield from api(f"ticket-{name} POST", WRITE, "number=ticket_number")
    yield Row("desk-report", frozenset({f"key {READ}"}))
    yield from api("attachment-detail GET", READ, "pk=attachment")
    for name, key in {
        "queue": "slug==general", "macro": "pk=macro", "sla-policy": "pk=sla_policy",
        "incident-match": "pk=match", "mass-reply": "pk=mass_reply", "survey": "pk=survey",
        "goodwill": "pk=goodwill",
    }.items():  # fmt: skip
        yield from api(f"{name}-list GET", READ)
        yield from api(f"{name}-detail GET", READ, key)


def world(made: dict[str, Any]) -> dict[str, Any]:
    ticket = Ticket.objects.get(pk=made["ticket"])
    incident = {"incident_id": made["incident"]}
    calendar = Calendar.objects.create(name="Read by API")
    return {
        "ticket_number": ticket.number,
        "attachment": store_attachment("a.txt", b"words", message=ticket.messages.get()).pk,
        "macro": Macro.objects.create(name="Read by API").pk,
        "sla_policy": SlaPolicy.objects.create(name="Read by API", calendar=calendar).pk,
        "match": IncidentMatch.objects.create(ticket=ticket, state="proposed", **incident).pk,
        "mass_reply": MassReply.objects.create(**incident).pk,
        "survey": Survey.objects.create(kind="csat", ticket=ticket, token_hash="0" * 64).pk,
    }
