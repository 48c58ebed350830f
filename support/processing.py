"""What follows from what happened: matching, deadlines, priority, rules, webhooks, assignment.

Each event is processed once, in slices, with a constant number of queries a slice. The events are
the queue: what a killed worker leaves behind is still unprocessed, and the next one takes it.
"""

import logging
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from support.assignment import assign_waiting, hand_over_answered
from support.automation import run_event_rules
from support.contact import prove_addresses
from support.matching import match_events
from support.models import TicketEvent
from support.priority import refresh_scores
from support.sla import refresh_clocks
from support.webhooks import store_deliveries

log = logging.getLogger(__name__)

SLICE = 200
GATHERING = 0.25  # seconds that events wait for others to share their slice
Step = Callable[[list[TicketEvent]], None]


def _clocks(events: list[TicketEvent]) -> None:
    refresh_clocks(tickets_of(events))


def _scores(events: list[TicketEvent]) -> None:
    refresh_scores(tickets_of(events))


def _rules(events: list[TicketEvent]) -> None:
    run_event_rules(events)


def _webhooks(events: list[TicketEvent]) -> None:
    store_deliveries(events)


def _assignment(events: list[TicketEvent]) -> None:
    written = [event for event in events if event.kind == TicketEvent.Kind.MESSAGE_IN]
    hand_over_answered(tickets_of(written))
    assign_waiting(tickets_of(events))


# In this order: whose a ticket is and what it is about decide its deadlines, these its priority,
# and rules, other systems and assignment look at all of that.
STEPS: list[Step] = [
    prove_addresses,
    match_events,
    _clocks,
    _scores,
    _rules,
    _webhooks,
    _assignment,
]


def process_events(limit: int = SLICE) -> int:
    """Process the oldest waiting events, up to `limit`; how many there were."""
    try:
        with transaction.atomic():
            return len(_process(_claimed(limit)))
    except Exception:
        log.exception("A slice of ticket events failed: trying them one by one")
    return _one_by_one(limit)


def tickets_of(events: list[TicketEvent]) -> list[int]:
    """The tickets the events are about, each once."""
    return sorted({event.ticket_id for event in events})


def _claimed(limit: int) -> list[TicketEvent]:
    waiting = TicketEvent.objects.filter(processed_at=None).order_by("id")
    return list(waiting.select_for_update(skip_locked=True)[:limit])


def _process(events: list[TicketEvent]) -> list[TicketEvent]:
    if events:
        for step in STEPS:
            step(events)
        ids = [event.pk for event in events]
        TicketEvent.objects.filter(pk__in=ids).update(processed_at=timezone.now())
    return events


def _one_by_one(limit: int) -> int:
    """So that one event that cannot be processed holds up no other: it is put aside, visibly."""
    processed = 0
    for _turn in range(limit):
        with transaction.atomic():
            events = _claimed(1)
            if not events:
                break
            try:
                with transaction.atomic():
                    _process(events)
            except Exception as error:
                log.exception("Ticket event %s cannot be processed", events[0].pk)
                TicketEvent.objects.filter(pk=events[0].pk).update(
                    processed_at=timezone.now(), error=f"{type(error).__name__}: {error}"[:500]
                )
            processed += 1
    return processed
