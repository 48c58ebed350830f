"""Deadlines in the database: which policy, what is stored, with how many queries."""

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from support.models import SlaPolicy, Ticket
from support.models.ticket import Status
from support.processing import process_events
from support.sla import hours_of, policy_for, public_holidays, refresh_clocks
from support.tickets import receive_message, reply, take_back
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.support.factories import TicketFactory, agent, opened
from tests.support.promises import at, calendar, moved, opened_at, policy, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(at(10), tick=False) as traveller:
        yield traveller


def dues(ticket):
    return (
        ticket.first_response_due_at,
        ticket.next_response_due_at,
        ticket.resolution_due_at,
        ticket.due_at,
    )


def test_the_first_policy_in_order_that_fits_wins(clock):
    fallback = policy("Rest", position=1)
    urgent = policy("Web", position=3, condition='channel = "web"')
    business = policy("Business", position=2, condition='customer.segment = "business"')
    customer = CustomerFactory.create(segment="business")
    SubscriptionFactory.create_batch(2, customer=customer)
    both = opened(channel="web", customer=customer)
    web, plain = opened(channel="web"), opened()
    # One without a condition fits all that come after it in the order.
    assert set(policy_for([both, web, plain]).values()) == {fallback}
    SlaPolicy.objects.filter(pk=fallback.pk).update(position=9)
    assert policy_for([both, web, plain]) == {
        both.pk: business,
        web.pk: urgent,
        plain.pk: fallback,
    }


def test_inactive_policies_promise_nothing(clock):
    policy(is_active=False)
    ticket = opened()
    assert policy_for([ticket]) == {ticket.pk: None}
    assert dues(read(ticket)) == (None, None, None, None)


def test_a_condition_that_can_no_longer_be_read_fits_nothing(clock, caplog):
    policy("Old", condition='colour = "red"')
    rest = policy("Rest", position=1)
    ticket = opened()
    assert policy_for([ticket]) == {ticket.pk: rest}
    assert "fits no ticket" in caplog.text


def test_processing_a_new_ticket_gives_it_its_deadlines(clock):
    promised = policy()
    clock.move_to(at(16, 30))
    ticket = opened()
    process_events()
    ticket.refresh_from_db()
    assert ticket.sla_policy == promised
    # An hour and eight of business time, from half past four; the office closes at five.
    assert dues(ticket) == (at(9, 30, day=1), None, at(16, 30, day=1), at(9, 30, day=1))


def test_an_answer_stops_the_first_clock_and_the_rest_begins(clock):
    policy()
    ticket = opened_at(at(10), clock)
    clock.move_to(at(10, 30))
    reply(ticket, by=agent(), text="We are on it.")
    ticket = read(ticket)
    assert dues(ticket) == (at(11), None, at(10, day=1), None)
    clock.move_to(at(12, 30))
    receive_message(ticket, text="And now?")
    ticket = read(ticket)
    # Two hours of waiting for the customer do not count.
    assert dues(ticket) == (at(11), at(14, 30), at(12, day=1), at(14, 30))


def test_a_second_question_does_not_begin_the_clock_anew(clock):
    policy()
    ticket = opened_at(at(9), clock)
    reply(ticket, by=agent(), text="We are on it.")
    for minutes in (0, 40):
        clock.move_to(at(10, minutes))
        receive_message(ticket, text="And now?")
    assert read(ticket).next_response_due_at == at(12)


def test_taking_the_answer_back_sets_the_clock_going_again(clock):
    policy()
    ann, ticket = agent(), opened_at(at(10), clock)
    clock.move_to(at(10, 30))
    message = reply(ticket, by=ann, text="We are on it.")
    assert read(ticket).due_at is None
    take_back(message, by=ann)
    # It had come to rest within the same second.
    assert dues(read(ticket)) == (at(11), None, at(10, day=1), at(11))


def test_pauses_are_rebuilt_from_the_timeline(clock):
    policy()
    ticket = opened_at(at(9), clock)
    for hour, status in [(10, "on_hold"), (11, "open"), (12, "waiting"), (14, "open")]:
        moved(ticket, status, at(hour), clock)
    Ticket.objects.update(first_response_due_at=None, resolution_due_at=None, due_at=None)
    # The first response was due at ten, when the first rest began; the rest took three hours.
    assert dues(read(ticket)) == (at(10), None, at(12, day=1), at(10))


def test_a_solved_ticket_keeps_its_deadlines_for_the_reports(clock):
    promised = policy()
    ticket = moved(opened_at(at(10), clock), Status.SOLVED, at(10, 30), clock)
    stood = (at(11), None, at(10, day=1), None)
    assert dues(ticket) == stood
    SlaPolicy.objects.filter(pk=promised.pk).update(resolution_minutes=1, is_active=False)
    assert dues(read(ticket)) == stood
    assert read(ticket).sla_policy == promised


def test_a_reopened_ticket_is_under_the_promise_of_today(clock):
    promised = policy()
    ticket = moved(opened_at(at(10), clock), Status.SOLVED, at(11), clock)
    SlaPolicy.objects.filter(pk=promised.pk).update(resolution_minutes=120)
    ticket = moved(ticket, Status.OPEN, at(12), clock)
    assert ticket.resolution_due_at == at(13)


def test_a_calendar_without_hours_gives_no_deadlines_and_holds_up_nobody(clock, caplog):
    empty = calendar("Never")
    empty.slots.all().delete()
    policy("Web", condition='channel = "web"', calendar=empty)
    policy("Rest", position=1)
    web, plain = opened(channel="web"), opened()
    refresh_clocks([web.pk, plain.pk])
    assert dues(Ticket.objects.get(pk=web.pk)) == (None, None, None, None)
    assert Ticket.objects.get(pk=plain.pk).due_at == at(11)
    assert "counts no time" in caplog.text


def test_a_calendar_closed_for_years_gives_no_deadlines_and_holds_up_nobody(clock, caplog):
    closed = calendar("Closed")
    closed.closures.create(name="Long", first_day="2026-01-01", last_day="2099-12-31")
    policy(calendar=closed)
    ticket = opened()
    assert dues(read(ticket)) == (None, None, None, None)
    assert "no working hours for over 5 years" in caplog.text


def test_holidays_closures_and_reopened_days_count(clock):
    # 18 November 2026 is Repentance Day in Saxony, a Wednesday.
    saxony = calendar("Dresden", time_zone="Europe/Berlin", country="DE", subdivision="SN")
    saxony.closures.create(name="Move", first_day="2026-11-19", last_day="2026-11-20")
    policy(calendar=saxony, first_response_minutes=8 * 60)
    ticket = opened_at(at(16, day=1), clock)  # Tuesday at closing time
    assert ticket.first_response_due_at == at(16, day=7)
    saxony.closures.create(name="Open", first_day="2026-11-18", last_day="2026-11-18", is_open=True)
    assert read(ticket).first_response_due_at == at(16, day=2)


def test_an_unknown_holiday_region_names_the_field():
    with pytest.raises(ValidationError) as error:
        public_holidays("DE", "XX")
    assert list(error.value.message_dict) == ["subdivision"]
    odd = calendar(country="ZZ")
    assert isinstance(hours_of([odd])[odd.pk], ValidationError)


def queries_for(tickets):
    with CaptureQueriesContext(connection) as captured:
        refresh_clocks([ticket.pk for ticket in tickets])
    return len(captured)


def test_clocks_of_many_take_as_many_queries_as_of_one(clock):
    for number in range(3):
        policy(f"Policy {number}", condition=f'tag = "t{number}"', position=number)
    policy("Rest", position=9)
    tickets = TicketFactory.create_batch(12, tags=["t1"])
    clock.move_to(at(15, day=5))  # deadlines have passed, so what was told is asked for, too
    refresh_clocks([ticket.pk for ticket in tickets])
    counts = [queries_for(tickets[:1]), queries_for(tickets[:3]), queries_for(tickets)]
    assert counts == [10, 10, 10]  # savepoint and release among them
