"""What other systems are told: docs/webhooks.md says it to their developers."""

from typing import Any

from support.models import Ticket, TicketEvent
from support.models.ticket import Band

# Counted up by date when a field changes its meaning or goes; a new field changes nothing.
VERSION = "2026-11-21"


def payload_of(event: TicketEvent, ticket: Ticket) -> dict[str, Any]:
    """One event with the ticket as it is now. No words of customers, no addresses of theirs.

    So what has to be erased is erased in one place; whoever needs more asks the API.
    """
    return {
        "type": f"ticket.{event.kind}",
        "timestamp": event.at.isoformat(),
        "version": VERSION,
        "data": {
            "event": {
                "id": event.pk,
                "by": event.by.email if event.by else None,
                "reason": event.reason,
                "details": _details(event),
            },
            "ticket": {
                "number": ticket.number,
                "status": ticket.status,
                "channel": ticket.channel,
                "language": ticket.language,
                "queue": ticket.queue.slug,
                "assignee": ticket.assignee.email if ticket.assignee else None,
                "customer": ticket.customer.reference if ticket.customer else None,
                "incident": ticket.incident.number if ticket.incident else None,
                "tags": ticket.tags,
                "priority": Band(ticket.band).name.lower(),
                "score": ticket.score,
                "due_at": ticket.due_at.isoformat() if ticket.due_at else None,
                "created_at": ticket.created_at.isoformat(),
            },
        },
    }


def _details(event: TicketEvent) -> dict[str, Any]:
    """What the timeline says; of a changed subject only that it was changed."""
    details = dict(event.data)
    for side in ("from", "to"):
        if isinstance(details.get(side), dict):
            details[side] = {name: v for name, v in details[side].items() if name != "subject"}
    return details
