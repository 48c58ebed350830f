"""Giving out what waits: never beyond a capacity, never to the absent, in turn or by load."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.accounts.roles import Role
from support.assignment import assign_waiting
from support.models import Agent, Queue, Ticket, TicketEvent
from support.processing import process_events
from tests.accounts.factories import staff
from tests.support.factories import QueueFactory, TicketFactory, agent, opened

pytestmark = pytest.mark.django_db
ROUND_ROBIN, LEAST_LOADED = Queue.Assignment.ROUND_ROBIN, Queue.Assignment.LEAST_LOADED


def waiting(queue, **fields):
    return TicketFactory(
        **{"customer": None, "requester_address": "a@example.com", "queue": queue} | fields
    )


def owners():
    tickets = Ticket.objects.order_by("pk")
    return [ticket.assignee for ticket in tickets.select_related("assignee")]


def test_tickets_are_given_in_turn():
    queue = QueueFactory(assignment=ROUND_ROBIN)
    ann, bob, eve = agent(queue), agent(queue), agent(queue)
    for _number in range(4):
        waiting(queue)
    assert assign_waiting() == 4
    assert owners() == [ann, bob, eve, ann]
    waiting(queue)
    assign_waiting()
    assert owners()[-1] == bob


def test_tickets_are_given_to_whom_has_the_fewest():
    queue = QueueFactory(assignment=LEAST_LOADED)
    ann, bob = agent(queue), agent(queue)
    for status in ("open", "open", "waiting", "solved"):
        waiting(queue, assignee=ann if status == "open" else bob, status=status)
    free = [waiting(queue) for _number in range(3)]
    assert assign_waiting() == 3
    assert owners()[-3:] == [bob, bob, ann]
    free[0].refresh_from_db()
    assert free[0].status == "open"
    lines = TicketEvent.objects.filter(ticket=free[0]).order_by("id")
    assert [(line.kind, line.data["to"], line.by) for line in lines] == [
        ("assigned", bob.pk, None), ("status", "open", None),
    ]  # fmt: skip


def test_the_most_urgent_goes_first_when_capacity_is_short():
    queue = QueueFactory(assignment=LEAST_LOADED)
    ann = agent(queue, capacity=1)
    low, urgent = waiting(queue, band=1), waiting(queue, band=4)
    assert assign_waiting() == 1
    low.refresh_from_db()
    urgent.refresh_from_db()
    assert (low.assignee, urgent.assignee) == (None, ann)


def test_queues_that_agents_take_from_are_left_alone():
    ticket = waiting(QueueFactory())
    agent()
    assert assign_waiting() == 0
    ticket.refresh_from_db()
    assert ticket.assignee is None


@pytest.mark.parametrize(
    "fields",
    [
        {"takes_part": False},
        {"capacity": 0},
        {"languages": ["de"]},
        {"skills": ["voip"]},
        {"away_from": timezone.now() - timedelta(hours=1)},
        {"role": Role.FINANCE},
        {"role": Role.INCIDENT_MANAGER},
    ],
)
def test_nothing_is_given_to_whoever_cannot_have_it(fields):
    queue = QueueFactory(assignment=ROUND_ROBIN, skills=["fibre"])
    agent(queue, **{"skills": ["fibre"]} | fields)
    waiting(queue, language="en")
    assert assign_waiting() == 0
    assert owners() == [None]


def test_members_only_or_everybody_where_a_queue_has_none():
    members = QueueFactory(assignment=ROUND_ROBIN)
    open_to_all = QueueFactory(assignment=ROUND_ROBIN)
    inside, outside = agent(members, capacity=1), agent(capacity=1)
    staff(Role.SUPPORT_AGENT)  # without a profile, nobody knows what they can take
    for _number in range(2):
        waiting(members)
    waiting(open_to_all)
    assign_waiting()
    assert owners() == [inside, None, outside]


def test_a_language_nobody_speaks_does_not_hold_up_the_others():
    queue = QueueFactory(assignment=ROUND_ROBIN)
    ann = agent(queue, languages=["en"], capacity=1)
    for _number in range(5):
        waiting(queue, language="ru", band=4)
    english = waiting(queue, language="en", band=1)
    assert assign_waiting() == 1
    english.refresh_from_db()
    assert english.assignee == ann


def test_new_ticket_is_given_when_its_event_is_processed():
    queue = QueueFactory(assignment=ROUND_ROBIN)
    ann = agent(queue)
    ticket = opened(queue=queue)
    while process_events():
        pass
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (ann, "open")


@pytest.mark.parametrize("number", [1, 3])
def test_giving_costs_the_same_whatever_there_is(number):
    for _turn in range(number):
        queue = QueueFactory(assignment=ROUND_ROBIN)
        for _ticket in range(number):
            agent(queue)
            waiting(queue)
    with CaptureQueriesContext(connection) as queries:
        assert assign_waiting() == number**2
    assert len([q for q in queries if "SAVEPOINT" not in q["sql"]]) == 10


LANGUAGES = st.lists(st.sampled_from(["en", "de", "ru"]), unique=True)
SKILLS = st.lists(st.sampled_from(["fibre", "voip"]), unique=True)
AGENTS = st.lists(
    st.fixed_dictionaries(
        {
            "capacity": st.integers(0, 4),
            "languages": LANGUAGES,
            "skills": SKILLS,
            "takes_part": st.sampled_from([True, True, False]),
            "away": st.sampled_from([None, None, (-1, None), (-1, 1), (-2, -1), (1, 2)]),
            "queues": st.sets(st.integers(0, 2), min_size=1),
        }
    ),
    max_size=4,
)
QUEUES = st.tuples(*[st.tuples(st.sampled_from(Queue.Assignment.values), SKILLS)] * 3)
TICKETS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["en", "de", "ru"]), st.integers(1, 4)),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(AGENTS, QUEUES, TICKETS, st.booleans())
def test_never_over_capacity_never_to_the_absent_and_nothing_left_that_fits(
    people, settings_of_queues, tickets, by_ids
):
    Ticket.objects.all().delete()
    Agent.objects.all().delete()
    now = timezone.now()
    queues = [QueueFactory(assignment=way, skills=needs) for way, needs in settings_of_queues]
    for one in people:
        away = one["away"]
        start = away and now + timedelta(hours=away[0])
        end = away and away[1] and now + timedelta(hours=away[1])
        fields = {name: one[name] for name in ("capacity", "languages", "skills", "takes_part")}
        agent(*(queues[n] for n in one["queues"]), away_from=start, away_until=end, **fields)
    for queue in queues:
        queue.members.add(staff())  # so that none is everybody's
    made = [waiting(queues[q], language=language, band=band) for q, language, band in tickets]
    assign_waiting([ticket.pk for ticket in made] if by_ids else None)

    def may_have(one, ticket):
        queue = ticket.queue
        return (
            one.takes_part
            and not one.is_away(now)
            and one.user.queues.filter(pk=queue.pk).exists()
            and (not one.languages or ticket.language in one.languages)
            and set(queue.skills) <= set(one.skills)
            and queue.assignment != Queue.Assignment.MANUAL
        )

    loads = {
        one.pk: Ticket.objects.filter(assignee=one.user).count() for one in Agent.objects.all()
    }
    for one in Agent.objects.all():
        assert loads[one.pk] <= one.capacity
    for ticket in Ticket.objects.select_related("assignee__agent", "queue"):
        if ticket.assignee:
            assert may_have(ticket.assignee.agent, ticket)
        else:
            free = [o for o in Agent.objects.all() if loads[o.pk] < o.capacity]
            assert not any(may_have(one, ticket) for one in free)


@pytest.mark.django_db(transaction=True)
def test_workers_who_give_at_once_never_exceed_a_capacity():
    queue = QueueFactory(assignment=LEAST_LOADED)
    agents = [agent(queue, capacity=3) for _number in range(3)]
    slices = [[waiting(queue).pk for _ticket in range(5)] for _slice in range(4)]

    def give(ids):
        given = assign_waiting(ids)
        connections.close_all()
        return given

    with ThreadPoolExecutor(len(slices)) as pool:
        assert sum(pool.map(give, slices)) == 9
    assert [Ticket.objects.filter(assignee=one).count() for one in agents] == [3, 3, 3]
