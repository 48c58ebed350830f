"""New tickets, matched to the incidents they are about."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backoffice.customers.models import ComponentUse, Subscription
from incidents.models import Exposure
from support.matching.candidates import Candidate, candidates
from support.matching.reading import read
from support.matching.scoring import Facts, Match, score
from support.models import IncidentMatch, Message, Ticket, TicketEvent
from support.timeline import new_event, record_events

State = IncidentMatch.State
# After these a ticket is looked at (again).
KINDS = frozenset(
    {TicketEvent.Kind.OPENED, TicketEvent.Kind.MESSAGE_IN, TicketEvent.Kind.CHANGED,
     TicketEvent.Kind.SPLIT, TicketEvent.Kind.MERGED}
)  # fmt: skip
# So much clearer than the next incident, or both are only proposed.
MARGIN = 100
MESSAGES_READ = 3


def match_events(events: list[TicketEvent]) -> None:
    """The step of `support.processing`: at most 12 queries, whatever the number of events."""
    match_tickets({event.ticket_id for event in events if event.kind in KINDS})


@transaction.atomic
def match_tickets(ticket_ids: Iterable[int]) -> int:
    """Link or propose incidents to those of the tickets that nobody has decided about.

    Looked at are tickets that are not over, not linked, and where no person has ever linked,
    unlinked, confirmed or rejected anything. How many were linked.
    """
    ids = sorted(set(ticket_ids))
    incidents = candidates() if ids else []
    tickets = _undecided(ids) if incidents else []
    if not tickets:
        return 0
    known = defaultdict(dict)  # type: ignore[var-annotated]
    for match in IncidentMatch.objects.filter(ticket__in=tickets):
        known[match.ticket_id][match.incident_id] = match
    outcome = {
        facts.pk: _decide([score(facts, incident) for incident in incidents])
        for facts in facts_of(tickets, incidents)
    }
    return _store(outcome, known)


def facts_of(tickets: list[Ticket], incidents: list[Candidate]) -> list[Facts]:
    """What matching needs to know of the tickets. Three queries."""
    customers = {ticket.customer_id for ticket in tickets if ticket.customer_id}
    texts = _texts(tickets)
    exposed = _exposures(customers, incidents)
    uses = _uses(customers, incidents)
    return [
        Facts(
            pk=ticket.pk,
            created_at=ticket.created_at,
            reading=read(texts.get(ticket.pk, ticket.subject), ticket.language),
            customer_id=ticket.customer_id,
            exposed_to=frozenset(exposed.get(ticket.customer_id, ())),
            uses=frozenset(uses.get(ticket.customer_id, ())),
        )
        for ticket in tickets
    ]


def _undecided(ids: list[int]) -> list[Ticket]:
    """Locked, in the order in which every verb locks several: a person's link goes before."""
    decided = IncidentMatch.objects.filter(ticket__in=ids, decided_at__isnull=False)
    return list(
        Ticket.objects.unsolved()
        .filter(pk__in=ids, incident=None, merged_into=None)
        .exclude(pk__in=decided.values("ticket"))
        .order_by("pk")
        .select_for_update(of=("self",))
    )


def _texts(tickets: list[Ticket]) -> dict[int, str]:
    """The subject and the customer's own last words, by ticket."""
    said: dict[int, list[str]] = defaultdict(list)
    messages = Message.objects.filter(
        ticket__in=tickets, direction=Message.Direction.IN, is_automatic=False
    ).order_by("id")
    for ticket, text in messages.values_list("ticket_id", "text"):
        said[ticket].append(text)
    return {
        ticket.pk: "\n".join([ticket.subject, *said[ticket.pk][-MESSAGES_READ:]])
        for ticket in tickets
    }


def _exposures(customers: set[int], incidents: list[Candidate]) -> dict[int | None, set[int]]:
    found: dict[int | None, set[int]] = defaultdict(set)
    rows = Exposure.objects.filter(
        customer__in=customers, incident__in=[incident.pk for incident in incidents]
    )
    for customer, incident in rows.values_list("customer_id", "incident_id"):
        found[customer].add(incident)
    return found


def _uses(
    customers: set[int], incidents: list[Candidate]
) -> dict[int | None, set[tuple[int, str]]]:
    out = {component for each in incidents for component, _ in each.component_regions}
    found: dict[int | None, set[tuple[int, str]]] = defaultdict(set)
    rows = ComponentUse.objects.filter(
        component__in=out, subscription__customer__in=customers
    ).exclude(subscription__status__in=Subscription.ENDED)
    fields = ("subscription__customer_id", "component_id", "subscription__region")
    for customer, component, region in rows.values_list(*fields):
        found[customer].add((component, region))
    return found


def _decide(matches: list[Match]) -> list[tuple[Match, State]]:
    """Linked is the one that is certain and clearly ahead of the others; the rest are proposed."""
    ranked = sorted(matches, key=lambda match: -match.confidence)
    likely = [m for m in ranked if m.confidence >= settings.SUPPORT_MATCH_PROPOSE_FROM]
    if not likely:
        return []
    next_best = likely[1].confidence if len(likely) > 1 else 0
    best = likely[0].confidence
    if best >= settings.SUPPORT_MATCH_LINK_FROM and best - next_best >= MARGIN:
        return [(likely[0], State.LINKED)]
    return [(match, State.PROPOSED) for match in likely]


def _store(
    outcome: dict[int, list[tuple[Match, State]]], known: dict[int, dict[int, IncidentMatch]]
) -> int:
    rows = [
        IncidentMatch(
            ticket_id=ticket,
            incident_id=match.incident_id,
            state=state,
            first_state=state,
            confidence=match.confidence,
            evidence={"parts": match.evidence},
        )
        for ticket, found in outcome.items()
        for match, state in found
    ]
    kept = {(row.ticket_id, row.incident_id) for row in rows}
    IncidentMatch.objects.filter(
        pk__in=[
            match.pk
            for ticket, matches in known.items()
            for incident, match in matches.items()
            if (ticket, incident) not in kept
        ]
    ).delete()
    IncidentMatch.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["ticket", "incident"],
        update_fields=["state", "first_state", "confidence", "evidence"],
    )
    linked = [row for row in rows if row.state == State.LINKED]
    _link_tickets(linked)
    record_events([_event(row) for row in rows if not _is_told(row, known.get(row.ticket_id, {}))])
    return len(linked)


def _link_tickets(linked: list[IncidentMatch]) -> None:
    by_incident: dict[int, list[int]] = defaultdict(list)
    for row in linked:
        by_incident[row.incident_id].append(row.ticket_id)
    now = timezone.now()
    for incident, tickets in by_incident.items():
        Ticket.objects.filter(pk__in=tickets).update(incident_id=incident, updated_at=now)


def _is_told(row: IncidentMatch, known: dict[int, IncidentMatch]) -> bool:
    before = known.get(row.incident_id)
    return before is not None and before.state == row.state


def _event(row: IncidentMatch) -> TicketEvent:
    is_linked = row.state == State.LINKED
    kind = TicketEvent.Kind.INCIDENT_LINKED if is_linked else TicketEvent.Kind.INCIDENT_PROPOSED
    data: dict[str, Any] = {"incident": row.incident_id, "confidence": row.confidence}
    change = {"change": (None, row.incident_id)} if is_linked else {}
    return new_event(row.ticket_id, kind, by=None, reason="matching", **change, **data)
