"""Taking the next ticket: the most urgent one that the agent can work on, and nobody else's."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.accounts.roles import Role
from support.assignment import take_next
from support.models import Ticket, TicketEvent
from tests.accounts.factories import staff
from tests.support.factories import QueueFactory, TicketFactory, agent

pytestmark = pytest.mark.django_db


def waiting(**fields):
    return TicketFactory(**{"customer": None, "requester_address": "a@example.com"} | fields)


def taken(by):
    ticket = take_next(by)
    return ticket.subject if ticket else None


def test_next_ticket_is_the_most_urgent_then_the_earliest_due_then_the_oldest():
    now = timezone.now()
    waiting(subject="oldest", band=2)
    waiting(subject="no deadline", band=3)
    waiting(subject="due later", band=3, due_at=now + timedelta(hours=2))
    waiting(subject="due soon", band=3, due_at=now + timedelta(hours=1))
    waiting(subject="urgent", band=4)
    waiting(subject="newest", band=2)
    ann = agent()
    assert [taken(ann) for _turn in range(7)] == [
        "urgent", "due soon", "due later", "no deadline", "oldest", "newest", None,
    ]  # fmt: skip


def test_taken_ticket_is_open_and_says_so():
    ticket = waiting(unanswered_since=timezone.now())
    ann = agent()
    got = take_next(ann)
    assert got == ticket
    assert (got.assignee, got.status, got.queue) == (ann, "open", ticket.queue)
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (ann, "open")
    assert ticket.assigned_at is not None
    lines = TicketEvent.objects.filter(ticket=ticket).order_by("id")
    assert [(line.kind, line.data, line.by, line.depth) for line in lines] == [
        ("assigned", {"from": None, "to": ann.pk}, ann, 0),
        ("status", {"from": "new", "to": "open"}, ann, 0),
    ]
    assert all(line.processed_at is None for line in lines)


def test_open_ticket_that_was_given_back_moves_nowhere():
    ticket = waiting(status="open")
    ann = agent()
    assert take_next(ann) == ticket
    assert [line.kind for line in TicketEvent.objects.all()] == ["assigned"]


def test_others_tickets_and_those_that_need_nothing_are_not_taken():
    waiting(assignee=agent(), status="open")
    for status in ("waiting", "on_hold", "solved", "closed"):
        waiting(status=status)
    assert take_next(agent()) is None


def test_next_ticket_is_from_the_agents_own_queues_and_everybodys():
    mine, theirs, closed = (
        QueueFactory(name="Mine"), QueueFactory(name="Theirs"), QueueFactory(is_active=False),
    )  # fmt: skip
    theirs.members.set([agent()])
    waiting(subject="theirs", queue=theirs, band=4)
    waiting(subject="closed", queue=closed, band=4)
    waiting(subject="mine", queue=mine, band=1)
    waiting(subject="everybody's", band=2)
    ann = agent(mine)
    assert [taken(ann) for _turn in range(3)] == ["everybody's", "mine", None]
    lead = staff(Role.SUPPORT_LEAD)
    assert taken(lead) == "theirs"


def test_next_ticket_is_in_the_agents_languages():
    waiting(subject="de", language="de", band=4)
    waiting(subject="en", language="en")
    ann = agent(languages=["en", "ru"])
    assert [taken(ann), taken(ann)] == ["en", None]
    assert taken(agent()) == "de"


def test_next_ticket_needs_the_queues_skills():
    fibre = QueueFactory(skills=["fibre", "billing"])
    waiting(subject="fibre", queue=fibre)
    assert taken(agent(skills=["fibre"])) is None
    assert taken(agent(skills=["billing", "fibre", "voip"])) == "fibre"


def test_next_ticket_for_staff_without_an_agents_profile():
    waiting(subject="a")
    assert taken(staff(Role.SUPPORT_AGENT)) == "a"


def test_nothing_is_taken_by_whoever_is_away_or_may_not():
    ticket = waiting()
    now = timezone.now()
    with pytest.raises(ValidationError, match="marked as away"):
        take_next(agent(away_from=now - timedelta(hours=1)))
    for by in (staff(Role.FINANCE), staff(Role.AUDITOR), staff()):
        with pytest.raises(PermissionDenied):
            take_next(by)
    gone = agent()
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    with pytest.raises(PermissionDenied):
        take_next(gone)
    ticket.refresh_from_db()
    assert ticket.assignee is None
    for fields in (
        {"away_from": now + timedelta(hours=1)},
        {"away_from": now - timedelta(hours=2), "away_until": now - timedelta(hours=1)},
    ):
        Ticket.objects.update(assignee=None)
        assert take_next(agent(**fields)) == ticket


def test_whoever_took_needs_no_permission_of_a_group_but_one_of_their_own():
    from django.contrib.auth.models import Permission

    by = staff()
    by.user_permissions.add(Permission.objects.get(codename="answer_ticket"))
    by.user_permissions.add(Permission.objects.get(codename="view_ticket"))
    ticket = waiting()
    assert take_next(by) == ticket


@pytest.mark.parametrize("tickets", [1, 3])
def test_taking_is_one_statement_beside_what_asks_why_there_is_none(tickets):
    for _number in range(tickets):
        waiting()
    ann = agent()
    with CaptureQueriesContext(connection) as queries:
        assert take_next(ann) is not None
    assert len(queries) == 0  # one, on a cursor of its own that keeps the plan


@pytest.mark.django_db(transaction=True)
def test_agents_who_take_at_once_never_get_the_same_ticket():
    queue = QueueFactory()
    for number in range(60):
        waiting(queue=queue, subject=str(number), language=["en", "de", "ru"][number % 3])
    agents = [agent() for _number in range(6)]

    def take_all(by):
        got = []
        while ticket := take_next(by):
            got.append(ticket.pk)
        connections.close_all()
        return got

    with ThreadPoolExecutor(len(agents)) as pool:
        got = list(pool.map(take_all, agents))
    everything = [pk for one in got for pk in one]
    assert sorted(everything) == sorted(Ticket.objects.values_list("pk", flat=True))
    for by, theirs in zip(agents, got, strict=True):
        assert set(Ticket.objects.filter(assignee=by).values_list("pk", flat=True)) == set(theirs)
    assert TicketEvent.objects.filter(kind="assigned").count() == 60
