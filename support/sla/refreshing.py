"""The stored deadlines of tickets, and when there is something to tell about them."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from backoffice.bulk import update_rows
from support.models import SlaPolicy, Ticket, TicketEvent
from support.sla.clocks import Clock, ClockName, Reading, Step, ended_at, read_clocks
from support.sla.policies import Promises, current_promises, policy_for

log = logging.getLogger(__name__)

STORED = [
    "sla_policy",
    "first_response_due_at",
    "next_response_due_at",
    "resolution_due_at",
    "due_at",
    "alarm_at",
    "clocks_at",
]
# What was told of a ticket: the kind of the event, the clock, and which of its runs or deadlines.
Told = set[tuple[str, str, str]]


@transaction.atomic
def refresh_clocks(ticket_ids: Iterable[int]) -> None:
    """Choose the tickets' policies anew, and store their deadlines.

    Nine queries at most, however many tickets; meant for slices of some hundreds.
    """
    tickets = locked_tickets(ticket_ids)
    if tickets:
        readings = read_tickets(tickets)
        store_readings(readings, told_of(readings))


def locked_tickets(ticket_ids: Iterable[int]) -> list[Ticket]:
    """Those rows, locked in order of their ids; new events of theirs need not wait."""
    rows = Ticket.objects.filter(pk__in=sorted(set(ticket_ids))).order_by("pk")
    rows = rows.select_related("sla_policy").defer("search")
    return list(rows.select_for_update(of=("self",), no_key=True))


def read_tickets(tickets: list[Ticket]) -> list[Reading]:
    """What the clocks of the locked `tickets` say under today's promises."""
    promises = current_promises()
    chosen = policy_for(tickets, promises)
    steps = steps_of(tickets)
    now = timezone.now()
    return [
        read_ticket(ticket, promises, policy_of(ticket, chosen), steps[ticket.pk], now)
        for ticket in tickets
    ]


def read_ticket(
    ticket: Ticket,
    promises: Promises,
    policy: SlaPolicy | None,
    steps: list[Step],
    now: datetime,
) -> Reading:
    """A calendar that has no such moment must not hold up the other tickets."""
    hours = promises.hours_under(policy)
    try:
        return read_clocks(ticket, policy=policy, calendar=hours, steps=steps, now=now)
    except ValidationError as error:
        log.warning("%s has no deadlines: %s", ticket.number, "; ".join(error.messages))
        return Reading(ticket, policy, (), now)


def policy_of(ticket: Ticket, chosen: dict[int, SlaPolicy | None]) -> SlaPolicy | None:
    """The one that fits now; for what was over when last read, the one that it was under."""
    over_since = ended_at(ticket)
    if over_since and ticket.clocks_at and ticket.clocks_at >= over_since:
        return ticket.sla_policy
    return chosen[ticket.pk]


def steps_of(tickets: list[Ticket]) -> dict[int, list[Step]]:
    """The changes of status in each ticket's timeline, in order. One query."""
    steps: dict[int, list[Step]] = defaultdict(list)
    events = TicketEvent.objects.filter(
        ticket__in=[ticket.pk for ticket in tickets], kind=TicketEvent.Kind.STATUS
    )
    for ticket_id, at, data in events.order_by("id").values_list("ticket_id", "at", "data"):
        steps[ticket_id].append((at, data["to"]))
    return steps


def told_of(readings: list[Reading]) -> dict[int, Told]:
    """What was told already, of those tickets with something that may have been. One query."""
    told: dict[int, Told] = defaultdict(set)
    ids = [r.ticket.pk for r in readings if any(at <= r.at for at, *_what in alarms_of(r))]
    if not ids:
        return told
    kinds = [TicketEvent.Kind.SLA_WARNING, TicketEvent.Kind.SLA_BREACH]
    events = TicketEvent.objects.filter(ticket__in=ids, kind__in=kinds).order_by("id")
    for ticket_id, kind, data in events.values_list("ticket_id", "kind", "data"):
        told[ticket_id].add((kind, data["clock"], data["of"]))
    return told


def alarms_of(reading: Reading) -> list[tuple[datetime, str, Clock, str]]:
    """What there is to tell, now or later: when, which kind of event, of which clock.

    The last says what it is told once for: a warning for a deadline, a breach for a run of its
    clock, so that a promise missed stays one, even where its deadline is worked out anew.
    """
    alarms = []
    for clock in reading.clocks:
        if clock.is_missed or clock.is_running:
            run = clock.started_at.isoformat()
            alarms.append((clock.due_at, TicketEvent.Kind.SLA_BREACH.value, clock, run))
        warning_at = clock.warning_at(reading.policy.warn_minutes) if reading.policy else None
        if warning_at and clock.is_running and reading.at < clock.due_at:
            deadline = clock.due_at.isoformat()
            alarms.append((warning_at, TicketEvent.Kind.SLA_WARNING.value, clock, deadline))
    return sorted(alarms, key=lambda alarm: alarm[0])


def untold(reading: Reading, told: Told) -> list[tuple[datetime, str, Clock, str]]:
    return [a for a in alarms_of(reading) if (a[1], a[2].name.value, a[3]) not in told]


def store_readings(readings: list[Reading], told: dict[int, Told]) -> None:
    """One query. `clocks_at` always changes, so that what has stopped is known to be read."""
    for reading in readings:
        ticket = reading.ticket
        next_alarm = next(iter(untold(reading, told[ticket.pk])), None)
        changes: dict[str, Any] = {
            "sla_policy": reading.policy,
            "first_response_due_at": reading.due_of(ClockName.FIRST_RESPONSE),
            "next_response_due_at": reading.due_of(ClockName.NEXT_RESPONSE),
            "resolution_due_at": reading.due_of(ClockName.RESOLUTION),
            "due_at": reading.due_at(),
            "alarm_at": next_alarm[0] if next_alarm else None,
            "clocks_at": reading.at,
        }
        for field, value in changes.items():
            setattr(ticket, field, value)
    update_rows([reading.ticket for reading in readings], STORED)
