"""The flood: what tickets are about, and one answer to all of them."""

from collections.abc import Iterator
from typing import Any

from incidents.models import Incident
from support.models import IncidentMatch, MassReply, MassReplyRecipient, Ticket
from tests.permissions.desk.tickets import AGENTS, LEAD, SEES_DESK
from tests.permissions.rows import MANAGER, Row, admin, look, pages
from tests.support.factories import opened

LINKS = AGENTS | MANAGER
SENDS = LEAD | MANAGER


def rows() -> Iterator[Row]:
    yield from pages("support", "incidentmatch", "match", see=SEES_DESK)
    yield from look("support_incidentmatch_measured", SEES_DESK)
    yield from look("support_ticket_incident", SEES_DESK, "pk=ticket")
    yield from admin("support_ticket_link", LINKS, "pk=ticket")
    yield from admin("support_ticket_unlink", LINKS, "pk=ticket")
    yield from admin("support_incidentmatch_confirm", LINKS, "pk=match")
    yield from admin("support_incidentmatch_reject", LINKS, "pk=match")
    yield from look("support_incident_tickets", SEES_DESK, "pk=incident")
    yield from admin("support_incident_confirm_above", LINKS, "pk=incident")
    yield from admin("support_incident_draft_reply", SENDS, "pk=incident")
    yield from pages("support", "massreply", "mass_reply", see=SEES_DESK, change=SEES_DESK)
    for page in ("preview", "recipients", "progress"):
        yield from look(f"support_massreply_{page}", SEES_DESK, "pk=mass_reply")
    for button in ("save", "start", "pause", "resume", "cancel", "retry"):
        yield from admin(f"support_massreply_{button}", SENDS, "pk=mass_reply")
    for button in ("exclude", "include"):
        yield from admin(f"support_massreply_{button}", SENDS, "pk=recipient")


def world(made: dict[str, Any]) -> dict[str, Any]:
    incident = Incident.objects.get(pk=made["incident"])
    ticket = opened()
    match = IncidentMatch.objects.create(
        ticket=ticket, incident=incident, state="proposed", confidence=600
    )
    Ticket.objects.filter(pk=ticket.pk).update(incident=incident)
    reply = MassReply.objects.create(incident=incident, texts={"en": "Hello"})
    recipient = MassReplyRecipient.objects.create(mass_reply=reply, ticket=ticket)
    return {"match": match.pk, "mass_reply": reply.pk, "recipient": recipient.pk}
