"""Telling of deadlines that are near or missed, each once."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from backoffice.bulk import update_rows
from support.models import SlaPolicy, Ticket, TicketEvent
from support.models.ticket import UNSOLVED
from support.sla.clocks import Clock, Reading
from support.sla.escalating import escalate
from support.sla.refreshing import read_tickets, store_readings, told_of, untold
from support.sla.telling import tell_people
from support.timeline import new_event, record_events

SLICE = 200
Breach = tuple[Ticket, SlaPolicy, Clock]


@transaction.atomic
def tell_deadlines(limit: int = SLICE) -> int:
    """Tell of what is due on up to `limit` tickets, the longest due first; how many there were.

    Warnings and breaches become lines of the timeline, mails are queued, and breaches escalate as
    the policy says, all in one transaction with the mark that it was done. The clocks are read
    anew, so nothing is told of a ticket that was answered or put to rest in time. Tickets that
    somebody else works on just now are left for the next turn.
    """
    now = timezone.now()
    due = Ticket.objects.filter(alarm_at__lte=now).order_by("alarm_at").defer("search")
    tickets = list(
        due.select_related("sla_policy").select_for_update(
            of=("self",), no_key=True, skip_locked=True
        )[:limit]
    )
    if not tickets:
        return 0
    readings = read_tickets(tickets)
    told = told_of(readings)
    breaches = _record(readings, told)
    store_readings(readings, told)
    _store_told(tickets)
    for ticket, policy, clock in breaches:
        escalate(ticket, policy, clock)
    return len(tickets)


def _record(
    readings: Iterable[Reading], told: dict[int, set[tuple[str, str, str]]]
) -> list[Breach]:
    """Write down what is due, in `told` too; the breaches that ask for action."""
    events: list[TicketEvent] = []
    breaches: list[Breach] = []
    for reading in readings:
        ticket = reading.ticket
        for moment, kind, clock, of in untold(reading, told[ticket.pk]):
            if moment > reading.at:
                break
            told[ticket.pk].add((kind, clock.name.value, of))
            events.append(_event(ticket, kind, clock, of))
            if kind == TicketEvent.Kind.SLA_WARNING:
                ticket.warned_for = clock.due_at
                continue
            ticket.breached_for = clock.due_at
            ticket.breaches += 1
            if reading.policy and clock.is_open and ticket.status in UNSOLVED:
                breaches.append((ticket, reading.policy, clock))
    record_events(events)
    tell_people(events, readings)
    return breaches


def _event(ticket: Ticket, kind: str, clock: Clock, of: str) -> TicketEvent:
    return new_event(
        ticket.pk, kind, by=None, clock=clock.name.value, due_at=clock.due_at.isoformat(), of=of
    )


def _store_told(tickets: list[Ticket]) -> None:
    update_rows(tickets, ["warned_for", "breached_for", "breaches"])
