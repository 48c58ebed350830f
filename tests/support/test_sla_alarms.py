"""Warnings, breaches and escalation: each once, whoever is late, killed or in the way."""

from unittest.mock import Mock

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from support.models import Queue, StaffNotice, Ticket
from support.models.ticket import Band, Status
from support.processing import process_events
from support.sla import escalating, tell_deadlines
from support.staff_notices import send_staff_notices
from support.tickets import assign, reply
from tests.support.factories import QueueFactory, agent, opened
from tests.support.promises import at, moved, opened_at, policy, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(at(10), tick=False) as traveller:
        yield traveller


def told(ticket):
    rows = ticket.events.filter(kind__startswith="sla_").order_by("id")
    return [(row.kind, row.data["clock"]) for row in rows]


def run(moment, clock):
    """What beat does at `moment`; how many tickets there were to look at."""
    clock.move_to(moment)
    return tell_deadlines()


def test_a_warning_comes_before_the_breach_and_each_once(clock):
    policy()
    ticket = opened_at(at(10), clock)
    assert ticket.alarm_at == at(10, 30)
    assert run(at(10, 29), clock) == 0
    assert [run(at(10, 30), clock), run(at(10, 31), clock)] == [1, 0]
    assert told(ticket) == [("sla_warning", "first_response")]
    assert [run(at(11, 1), clock), run(at(11, 2), clock)] == [1, 0]
    assert told(ticket) == [("sla_warning", "first_response"), ("sla_breach", "first_response")]
    ticket.refresh_from_db()
    assert (ticket.breaches, ticket.warned_for, ticket.breached_for) == (1, at(11), at(11))
    # The other clock goes on: its warning is next.
    assert ticket.alarm_at == at(9, 30, day=1)
    run(at(10, 1, day=1), clock)
    assert told(ticket)[2:] == [("sla_breach", "resolution")]


def test_reading_the_clocks_again_tells_nothing_twice(clock):
    policy()
    ticket = opened_at(at(10), clock)
    run(at(11, 1), clock)
    before = told(ticket)
    for minute in (2, 3):
        clock.move_to(at(11, minute))
        read(ticket)
        process_events()
        tell_deadlines()
    assert told(ticket) == before


def test_an_answer_in_time_tells_nothing(clock):
    policy(resolution_minutes=None)
    ticket = opened_at(at(10), clock)
    clock.move_to(at(10, 20))
    reply(ticket, by=agent(), text="We are on it.")
    # Its event was not processed yet when beat looked.
    assert run(at(12), clock) == 1
    assert told(ticket) == []
    assert Ticket.objects.get(pk=ticket.pk).alarm_at is None


def test_an_answer_after_the_deadline_is_a_breach_even_if_beat_came_later(clock):
    policy(resolution_minutes=None, warn_minutes=0, raise_to=Band.URGENT)
    ticket = opened_at(at(10), clock)
    clock.move_to(at(11, 0) + (at(0, 1) - at(0)) / 2)
    reply(ticket, by=agent(), text="Sorry.")
    run(at(11, 1), clock)
    assert told(ticket) == [("sla_breach", "first_response")]
    # It was answered for meanwhile: there is nothing left to escalate.
    assert not ticket.events.filter(kind="escalated").exists()


def test_a_rest_before_the_deadline_keeps_the_alarm_quiet(clock):
    policy()
    ticket = opened_at(at(10), clock)
    ticket = moved(ticket, Status.ON_HOLD, at(10, 10), clock)
    assert ticket.alarm_at is None
    assert run(at(16), clock) == 0
    ticket = moved(ticket, Status.OPEN, at(16), clock)
    assert (ticket.due_at, ticket.alarm_at) == (at(16, 50), at(16, 20))


def test_a_deadline_moved_by_a_rest_is_warned_of_again(clock):
    policy()
    ticket = opened_at(at(10), clock)
    run(at(10, 40), clock)
    moved(ticket, Status.ON_HOLD, at(10, 45), clock)
    moved(ticket, Status.OPEN, at(14), clock)
    run(at(14, 1), clock)
    assert told(ticket) == [("sla_warning", "first_response")] * 2


def test_a_promise_missed_stays_one_when_its_deadline_moves(clock):
    promised = policy()
    ticket = opened_at(at(10), clock)
    run(at(11, 1), clock)
    promised.calendar.closures.create(name="Party", first_day="2026-11-16", last_day="2026-11-16")
    ticket = read(ticket)
    assert ticket.first_response_due_at == at(10, day=1)
    run(at(11, day=1), clock)
    assert told(ticket).count(("sla_breach", "first_response")) == 1
    assert Ticket.objects.get(pk=ticket.pk).breaches == 1


def test_a_promise_shorter_than_the_warning_is_not_warned_of(clock):
    policy(first_response_minutes=20, resolution_minutes=None)
    ticket = opened_at(at(10), clock)
    assert ticket.alarm_at == at(10, 20)


def test_a_breach_escalates_as_the_policy_says_once(clock):
    second = QueueFactory.create(name="Second line")
    ann, bob = agent(), agent(second)
    boss = agent()
    promised = policy(raise_to=Band.URGENT, give_to=second, give_to_agent=bob, warn_minutes=0)
    promised.notify.add(boss)
    ticket = assign(opened_at(at(10), clock), ann, by=None)
    process_events()
    assert run(at(11, 1), clock) == 1
    assert run(at(11, 2), clock) == 0
    process_events()
    ticket.refresh_from_db()
    assert (ticket.band, ticket.band_floor) == (Band.URGENT, Band.URGENT)
    assert (ticket.queue, ticket.assignee) == (second, bob)
    line = ticket.events.get(kind="escalated")
    assert line.data == {
        "clock": "first_response",
        "policy": promised.pk,
        "done": ["raised", "queue", "agent"],
        "problems": {},
    }
    assert list(StaffNotice.objects.values_list("user", "ticket")) == [(boss.pk, ticket.pk)]


def test_a_breach_can_take_the_ticket_from_its_agent(clock):
    policy(unassigns=True)
    ticket = assign(opened_at(at(10), clock), agent(), by=None)
    run(at(11, 1), clock)
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (None, "open")


def test_what_cannot_be_done_is_told_and_the_rest_is(clock, monkeypatch):
    gone = agent()
    closed = QueueFactory.create(is_active=False)
    policy(raise_to=Band.HIGH, give_to=closed, give_to_agent=gone)
    gone.is_active = False
    gone.save()
    ticket = opened_at(at(10), clock)
    run(at(11, 1), clock)
    line = ticket.events.get(kind="escalated")
    assert line.data["done"] == ["raised"]
    assert sorted(line.data["problems"]) == ["agent", "queue"]
    ticket.refresh_from_db()
    assert (ticket.band_floor, ticket.queue) == (Band.HIGH, Queue.objects.get(is_default=True))


def test_an_error_of_ours_holds_up_no_other_ticket(clock, monkeypatch):
    policy(raise_to=Band.HIGH)
    ticket = opened_at(at(10), clock)
    other = opened_at(at(10), clock)

    def fails(row, *args, **more):
        if row == ticket:
            raise RuntimeError
        return real(row, *args, **more)

    real = escalating.raise_priority
    monkeypatch.setattr(escalating, "raise_priority", fails)
    assert run(at(11, 1), clock) == 2
    assert ticket.events.get(kind="escalated").data["problems"] == {"raised": "RuntimeError"}
    assert other.events.get(kind="escalated").data["done"] == ["raised"]


def test_a_turn_that_fails_tells_nothing_and_the_next_one_all(clock, monkeypatch):
    policy(raise_to=Band.HIGH).notify.add(agent())
    ticket = opened_at(at(10), clock)
    with monkeypatch.context() as patch:
        patch.setattr("support.sla.alarms.escalate", Mock(side_effect=ZeroDivisionError))
        with pytest.raises(ZeroDivisionError):
            run(at(11, 1), clock)
    assert (told(ticket), StaffNotice.objects.count()) == ([], 0)
    run(at(11, 2), clock)
    assert told(ticket) == [("sla_breach", "first_response")]
    assert StaffNotice.objects.count() == 1


def test_people_are_told_in_their_language_and_time_zone(clock):
    boss = agent()
    boss.time_zone = "Asia/Kolkata"
    boss.save()
    ann = agent()
    policy(resolution_minutes=None).notify.add(boss)
    mine = assign(opened_at(at(10), clock), ann, by=None)
    nobodys = opened_at(at(10), clock)
    run(at(10, 31), clock)
    words = "first response is due 2026-11-16"
    assert sorted(StaffNotice.objects.values_list("user", "ticket", "text")) == sorted(
        [
            (ann.pk, mine.pk, f"{words} 11:00 (UTC)"),
            (boss.pk, nobodys.pk, f"{words} 16:30 (Asia/Kolkata)"),
        ]
    )
    send_staff_notices()
    assert sorted(message.to[0] for message in mail.outbox) == sorted([ann.email, boss.email])


def test_telling_of_many_takes_as_many_queries_as_of_one(clock):
    policy(warn_minutes=10)
    counts = []
    for number in (1, 3):
        clock.move_to(at(10, day=number))
        for _ticket in range(number):
            read(opened())
        clock.move_to(at(10, 51, day=number))
        with CaptureQueriesContext(connection) as captured:
            assert tell_deadlines() == number
        counts.append(len(captured))
        Ticket.objects.update(alarm_at=None)
    assert counts[0] == counts[1]
