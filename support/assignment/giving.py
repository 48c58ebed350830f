"""The desk gives out what waits, in the queues that want it so."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from backoffice.bulk import update_rows
from backoffice.customers.models.customer import Language
from support.assignment.people import Colleague, colleagues_of
from support.models import Queue, Ticket, TicketEvent
from support.models.ticket import Status
from support.timeline import new_event, record_events

MOST = 200  # of one queue and language in one round


@transaction.atomic
def assign_waiting(ticket_ids: Iterable[int] | None = None) -> int:
    """Give what has no assignee to whom the queue's setting says; how many found somebody.

    Of `ticket_ids`, or the most urgent of all. Only to agents who are there, take part, speak the
    language, have the queue's skills, and never beyond their capacity, however many workers do this
    at once. What finds nobody waits for the next round. A constant number of queries.
    """
    automatic = Queue.objects.filter(is_active=True).exclude(assignment=Queue.Assignment.MANUAL)
    queues = {queue.pk: queue for queue in automatic}
    free = Ticket.objects.active().filter(assignee=None, queue__in=queues)
    if ticket_ids is not None:
        free = free.filter(pk__in=list(ticket_ids))
    if not queues or not free.exists():
        return 0
    colleagues = [one for one in colleagues_of(queues.values()) if one.free]
    if ticket_ids is None:
        free = free.filter(pk__in=_front(queues, colleagues))
    # Whoever is just changing one of them will bring it here again.
    tickets = list(free.in_order().select_for_update(of=("self",), skip_locked=True))
    given = _deal(tickets, queues, colleagues)
    _store(given)
    return len(given)


def _front(queues: dict[int, Queue], colleagues: list[Colleague]) -> list[int]:
    """The most urgent tickets of each queue and language that somebody here could take."""
    lanes = [
        (queue_id, language)
        for queue_id in queues
        for language in Language.values
        if any(one.fits(queue_id, language) for one in colleagues)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT found.id
            FROM unnest(%(queues)s::bigint[], %(languages)s::text[]) AS lane (queue_id, language)
            CROSS JOIN LATERAL (
                SELECT t.id FROM support_ticket t
                WHERE t.queue_id = lane.queue_id AND t.language = lane.language
                    AND t.assignee_id IS NULL AND t.status IN ('new', 'open')
                ORDER BY t.band DESC, t.due_at ASC NULLS LAST, t.id
                LIMIT %(most)s
            ) found
            """,
            {
                "queues": [lane[0] for lane in lanes],
                "languages": [lane[1] for lane in lanes],
                "most": min(MOST, sum(one.free for one in colleagues)),
            },
        )
        return [row[0] for row in cursor.fetchall()]


def _deal(
    tickets: list[Ticket], queues: dict[int, Queue], colleagues: list[Colleague]
) -> list[tuple[Ticket, Colleague]]:
    """Who gets which, most urgent first; the colleagues' loads and turns go on."""
    given = []
    now = timezone.now()
    for turn, ticket in enumerate(tickets):
        able = [c for c in colleagues if c.free and c.fits(ticket.queue_id, ticket.language)]
        if not able:
            continue
        way = queues[ticket.queue_id].assignment
        chosen = min(able, key=lambda one: _rank(one, way))
        chosen.load += 1
        # Different moments, so that the next turn is known even within one round.
        chosen.agent.last_given_at = now + timedelta(microseconds=turn)
        given.append((ticket, chosen))
    return given


def _rank(one: Colleague, way: str) -> tuple[object, ...]:
    if way == Queue.Assignment.LEAST_LOADED:
        return one.load, one.last_given_at, one.agent.pk
    return one.last_given_at, one.agent.pk


def _store(given: list[tuple[Ticket, Colleague]]) -> None:
    if not given:
        return
    now = timezone.now()
    events = []
    for ticket, colleague in given:
        user_id = colleague.agent.user_id
        events.append(
            new_event(
                ticket.pk,
                TicketEvent.Kind.ASSIGNED,
                by=None,
                reason="given by the queue",
                change=(None, user_id),
            )
        )
        if ticket.status == Status.NEW:
            change = (ticket.status, Status.OPEN)
            events.append(
                new_event(
                    ticket.pk, TicketEvent.Kind.STATUS, by=None, reason="assigned", change=change
                )
            )
        ticket.assignee_id, ticket.assigned_at, ticket.updated_at = user_id, now, now
        ticket.status = Status.OPEN
    rows = [ticket for ticket, _colleague in given]
    # Locked, and read as free: nobody has moved them meanwhile.
    update_rows(rows, ["assignee", "assigned_at", "status", "updated_at"])
    update_rows(
        {colleague.agent.pk: colleague.agent for _ticket, colleague in given}.values(),
        ["last_given_at"],
    )
    record_events(events)
