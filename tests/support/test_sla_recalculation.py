"""Deadlines anew when a promise or a calendar changes: in slices, without loss."""

from unittest.mock import Mock

import pytest
import time_machine

from support.models import Recalculation, SlaPolicy, Ticket
from support.models.ticket import Status
from support.sla import recalculate, recalculate_slice
from support.tickets import reply
from tests.support.factories import agent
from tests.support.promises import at, calendar, moved, opened_at, policy, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(at(10), tick=False) as traveller:
        yield traveller


def work(limit=200):
    turns = 0
    while recalculate_slice(limit):
        turns += 1
    return turns


def test_a_changed_promise_reaches_every_unsolved_ticket(clock):
    promised = policy()
    tickets = [opened_at(at(10), clock) for _number in range(5)]
    solved = moved(tickets.pop(), Status.SOLVED, at(10), clock)
    SlaPolicy.objects.filter(pk=promised.pk).update(first_response_minutes=30)
    recalculate(promised, by=None)
    # Two of two, and one that finds no more.
    assert work(limit=2) == 3
    rows = Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets])
    assert set(rows.values_list("due_at", flat=True)) == {at(10, 30)}
    assert read(solved).first_response_due_at == at(11)
    done = Recalculation.objects.get()
    assert (done.tickets_count, done.done_at) == (4, at(10))


def test_a_changed_condition_gives_tickets_another_policy(clock):
    first, second = policy("First"), policy("Second", position=1, first_response_minutes=10)
    ticket = opened_at(at(10), clock)
    assert ticket.sla_policy == first
    SlaPolicy.objects.filter(pk=first.pk).update(condition='channel = "web"')
    recalculate(first, by=None)
    work()
    ticket.refresh_from_db()
    assert (ticket.sla_policy, ticket.due_at) == (second, at(10, 10))


def test_a_changed_calendar_reaches_its_own_tickets_only(clock):
    early = calendar("Early", slots=[(day, 6 * 60, 10 * 60 + 30) for day in range(5)])
    policy("Web", condition='channel = "web"', calendar=early)
    policy("Rest", position=1)
    web, other = opened_at(at(10), clock, channel="web"), opened_at(at(10), clock)
    early.slots.update(to_minute=12 * 60)
    recalculate(early, by=None)
    clock.move_to(at(10, 5))
    work()
    assert Ticket.objects.get(pk=web.pk).due_at == at(11)
    read_at = Ticket.objects.filter(pk__in=[web.pk, other.pk]).order_by("pk")
    assert list(read_at.values_list("clocks_at", flat=True)) == [at(10, 5), at(10)]


def test_what_was_answered_for_keeps_its_deadline(clock):
    promised = policy()
    ticket = opened_at(at(10), clock)
    reply(ticket, by=agent(), text="We are on it.", then_status="")
    read(ticket)
    SlaPolicy.objects.update(first_response_minutes=1, resolution_minutes=60)
    clock.move_to(at(10, 30))
    recalculate(promised, by=None)
    work()
    ticket.refresh_from_db()
    assert (ticket.first_response_due_at, ticket.resolution_due_at) == (at(11), at(11))
    assert ticket.due_at == at(11)


def test_a_killed_worker_loses_no_ticket(clock, monkeypatch):
    promised = policy()
    tickets = [opened_at(at(10), clock) for _number in range(3)]
    SlaPolicy.objects.update(first_response_minutes=30)
    recalculate(promised, by=None)
    recalculate_slice(1)
    with monkeypatch.context() as patch:
        broken = Mock(side_effect=ZeroDivisionError)
        patch.setattr("support.sla.recalculating.refresh_clocks", broken)
        with pytest.raises(ZeroDivisionError):
            recalculate_slice(1)
    assert Recalculation.objects.get().last_ticket == tickets[0].pk
    work(1)
    assert set(Ticket.objects.values_list("due_at", flat=True)) == {at(10, 30)}


def test_a_change_in_between_begins_again(clock):
    promised = policy()
    tickets = [opened_at(at(10), clock) for _number in range(3)]
    recalculate(promised, by=None)
    recalculate_slice(2)
    SlaPolicy.objects.update(first_response_minutes=30)
    boss = agent()
    recalculate(promised, by=boss)
    asked = Recalculation.objects.get()
    assert (asked.last_ticket, asked.requested_by) == (0, boss)
    work(2)
    assert Ticket.objects.filter(due_at=at(10, 30)).count() == len(tickets)


def test_nothing_asked_for_is_nothing_done():
    assert recalculate_slice() is False


def test_asking_wakes_the_worker(clock, monkeypatch, django_capture_on_commit_callbacks):
    woken = []
    monkeypatch.setattr("support.receivers.recalculate_deadlines.delay", lambda: woken.append(True))
    with django_capture_on_commit_callbacks(execute=True):
        recalculate(policy(), by=None)
    assert woken == [True]
