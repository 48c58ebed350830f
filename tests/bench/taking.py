"""Take the next ticket: 16 agents at once, in front of 1,000,000 tickets that wait.

The bar is a rate, 1,000 tickets a second; the reference is the barest statement that takes a row
without collision, on the same table and by the same processes, with no rights, no languages and no
timeline. A ticket that two agents get would fail the run.
"""

import multiprocessing
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import connection, connections

from backoffice.accounts.models import User
from support.assignment import take_next
from support.models import Agent, Queue, TicketEvent
from tests.bench.result import Result

BAR = 1000.0
TICKETS = 1_000_000
AGENTS = 16
EACH = 1000  # tickets that an agent takes
QUEUES = 5

TICKETS_SQL = """
INSERT INTO support_ticket (subject, status, channel, language, queue_id, requester_name,
    requester_address, tags, score, band, score_parts, sentiment, due_at, breaches, reopened,
    messages_count, created_at, updated_at)
SELECT 'No internet, case ' || n, 'new', 'email', (ARRAY['en', 'en', 'de', 'ru'])[1 + n %% 4],
    %(first)s + n %% %(queues)s, '', 'c' || n || '@example.com', '{outage}', n %% 100,
    1 + n %% 4, '{}', 0,
    timestamptz '2026-10-14Z' + (n::bigint * 7919 %% 100000) * interval '1 minute',
    0, 0, 1, now(), now()
FROM generate_series(1, %(tickets)s) AS n
"""
BAREST = """
UPDATE support_ticket SET assignee_id = %s, status = 'open' WHERE id = (
    SELECT id FROM support_ticket WHERE assignee_id IS NULL AND status IN ('new', 'open')
    ORDER BY band DESC, due_at ASC NULLS LAST, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def run(scale: float) -> Result:
    each = max(20, int(EACH * min(1.0, scale * 2)))
    agents = _desk(max(AGENTS * each * 3, int(TICKETS * scale)))
    reference, _ids = _race(agents, each, barest=True)
    ours, ids = _race(agents, each, barest=False)
    twice = len(ids) - len(set(ids))
    lines = TicketEvent.objects.filter(kind="assigned").count()
    ours_rate, reference_rate = len(ids) / ours, len(ids) / reference
    return Result(
        ours=ours_rate,
        reference=BAR,
        bar=1.0,
        unit=" tickets/s",
        more_is_better=True,
        notes=f"{len(ids)} taken, {twice} twice, {lines} told; "
        f"the barest statement {reference_rate:.0f}/s",
        others_hold=twice == 0 and lines == len(ids),
    )


def _desk(tickets: int) -> list[int]:
    first = Queue.objects.create(name="Q0", slug="q0")
    for number in range(1, QUEUES):
        Queue.objects.create(name=f"Q{number}", slug=f"q{number}")
    users = []
    for number in range(AGENTS):
        user = User.objects.create_user(f"agent{number}@example.com", is_staff=True)
        user.groups.add(_agents_group())
        user.queues.set(Queue.objects.filter(pk__gte=first.pk))
        languages = [["en"], ["en", "de"], ["de", "ru"], []][number % 4]
        Agent.objects.create(user=user, languages=languages)
        users.append(user.pk)
    with connection.cursor() as cursor:
        cursor.execute(TICKETS_SQL, {"first": first.pk, "queues": QUEUES, "tickets": tickets})
        cursor.execute("VACUUM ANALYZE support_ticket")
    return users


def _agents_group() -> Any:
    from django.contrib.auth.models import Group

    return Group.objects.get(name="Support agent")


def _race(agents: list[int], each: int, *, barest: bool) -> tuple[float, list[int]]:
    """How long all of them took, from the start signal to the last ticket; and what they got."""
    name = settings.DATABASES["default"]["NAME"]
    # What the race before has taken is still in the indexes until it is swept out.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM support_ticket")
    connections.close_all()
    spawned = multiprocessing.get_context("fork")
    barrier, results = spawned.Barrier(len(agents) + 1), spawned.Queue()
    workers = [
        spawned.Process(target=_agent, args=(name, pk, each, barest, barrier, results))
        for pk in agents
    ]
    for worker in workers:
        worker.start()
    barrier.wait()
    start = monotonic()
    taken = [pk for _worker in workers for pk in results.get()]
    took = monotonic() - start
    for worker in workers:
        worker.join()
    return took, taken


def _agent(name: str, pk: int, each: int, barest: bool, barrier: Any, results: Any) -> None:  # noqa: FBT001
    connections["default"].settings_dict["NAME"] = name
    by = User.objects.get(pk=pk)
    barrier.wait()
    taken = []
    for _turn in range(each):
        if barest:
            with connection.cursor() as cursor:
                cursor.execute(BAREST, [pk])
                taken.append(cursor.fetchone()[0])
        elif ticket := take_next(by):
            taken.append(ticket.pk)
    results.put(taken)
    connections.close_all()
