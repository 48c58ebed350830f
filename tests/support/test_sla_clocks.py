"""Pauses and deadlines, against a ticket whose every minute is looked at."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.business_time import BusinessCalendar
from support.models import SlaPolicy, Ticket
from support.models.ticket import Status
from support.sla.clocks import deadline, pauses_of, read_clocks, resting_statuses
from tests.support.slow_hours import is_open

BERLIN = BusinessCalendar(
    ZoneInfo("Europe/Berlin"),
    dict.fromkeys(range(7), ((0, 300), (9 * 60, 17 * 60), (20 * 60, 1440))),
)
# The day before the clocks go back.
START = datetime(2026, 10, 24, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RESTING = resting_statuses(None)

histories = st.lists(
    st.tuples(st.integers(0, 3 * 1440), st.sampled_from(Status.values)), max_size=12
).map(lambda steps: [(START + minutes * MINUTE, status) for minutes, status in sorted(steps)])


def slow_deadline(start, seconds, steps):
    """Let each minute pass; one counts when it is open and the ticket does not rest."""
    if steps and steps[-1][1] in RESTING:
        # The rest that goes on counts as if it had not begun.
        while steps and steps[-1][1] in RESTING:
            steps = steps[:-1]
    moment = start
    while seconds > 0:
        status = next((s for at, s in reversed(steps) if at <= moment), "new")
        seconds -= 60 * (status not in RESTING and is_open(BERLIN, moment))
        moment += MINUTE
    return moment


@given(histories, st.integers(0, 2 * 1440), st.integers(1, 2000))
@settings(max_examples=200)
def test_deadline_is_where_the_minutes_that_count_are_over(steps, offset, minutes):
    start = START + offset * MINUTE
    found = deadline(BERLIN, start, minutes * 60, pauses_of(steps, RESTING))
    assert found == slow_deadline(start, minutes * 60, steps)


@given(histories)
def test_pauses_are_in_order_apart_and_only_the_last_is_open(steps):
    pauses = pauses_of(steps, RESTING)
    assert all(end is not None for _start, end in pauses[:-1])
    marks = [mark for pause in pauses for mark in pause if mark is not None]
    assert marks == sorted(marks)
    is_resting = bool(steps) and steps[-1][1] in RESTING
    assert is_resting == (bool(pauses) and pauses[-1][1] is None)


def ticket(**fields):
    return Ticket(**{"status": "open", "created_at": START, "unanswered_since": START} | fields)


def policy(**fields):
    return SlaPolicy(
        **{
            "first_response_minutes": 60,
            "next_response_minutes": 120,
            "resolution_minutes": 480,
        }
        | fields
    )


def read(row, steps=(), now=START, **fields):
    hours = BusinessCalendar(ZoneInfo("UTC"), dict.fromkeys(range(7), ((0, 1440),)))
    return read_clocks(row, policy=policy(**fields), calendar=hours, steps=steps, now=now)


def dues(reading):
    return {clock.name.value: (clock.due_at - START) // MINUTE for clock in reading.clocks}


def test_a_new_ticket_has_two_clocks_and_the_nearer_one_counts():
    reading = read(ticket(status="new"))
    assert dues(reading) == {"first_response": 60, "resolution": 480}
    assert reading.due_at() == START + 60 * MINUTE


def test_without_a_promise_for_the_first_answer_the_next_one_takes_its_place():
    reading = read(ticket(), first_response_minutes=None)
    assert dues(reading) == {"resolution": 480, "next_response": 120}


def test_after_the_answer_its_deadline_stands_but_no_longer_counts():
    answered = ticket(first_response_at=START + 10 * MINUTE, unanswered_since=None)
    reading = read(answered)
    assert dues(reading) == {"first_response": 60, "resolution": 480}
    assert reading.due_at() == START + 480 * MINUTE


def test_a_later_question_has_a_clock_from_when_it_was_asked():
    asked = ticket(first_response_at=START + 10 * MINUTE, unanswered_since=START + 100 * MINUTE)
    reading = read(asked)
    assert dues(reading) == {"first_response": 60, "resolution": 480, "next_response": 220}
    assert reading.due_at() == START + 220 * MINUTE


def test_a_missed_first_answer_overrules_no_other_clock():
    reading = read(ticket(), now=START + 500 * MINUTE)
    assert [clock.is_missed for clock in reading.clocks] == [True, True]
    assert reading.due_at() == START + 60 * MINUTE


@pytest.mark.parametrize(("pauses", "due"), [(True, 100), (False, 60)])
def test_on_hold_rests_where_the_policy_says_so(pauses, due):
    steps = [(START + 10 * MINUTE, "on_hold"), (START + 50 * MINUTE, "open")]
    assert dues(read(ticket(), steps, pauses_on_hold=pauses))["first_response"] == due


@pytest.mark.parametrize("status", ["waiting", "on_hold", "solved", "closed"])
def test_a_ticket_at_rest_has_no_due_time(status):
    steps = [(START + 10 * MINUTE, status)]
    reading = read(ticket(status=status), steps, now=START + 900 * MINUTE)
    assert reading.due_at() is None
    assert not any(clock.is_missed for clock in reading.clocks)


def test_what_was_missed_before_the_rest_stays_missed():
    steps = [(START + 70 * MINUTE, "waiting")]
    reading = read(ticket(status="waiting"), steps, now=START + 900 * MINUTE)
    assert [clock.is_missed for clock in reading.clocks] == [True, False]


def test_an_answer_just_in_time_is_in_time():
    kept = ticket(first_response_at=START + 60 * MINUTE, unanswered_since=None)
    late = ticket(first_response_at=START + 61 * MINUTE, unanswered_since=None)
    missed = [read(row, now=START + 99 * MINUTE).clocks[0].is_missed for row in (kept, late)]
    assert missed == [False, True]


def test_pauses_after_the_answer_leave_its_deadline_alone():
    steps = [(START + 10 * MINUTE, "waiting"), (START + 30 * MINUTE, "open")]
    answered = ticket(first_response_at=START + 10 * MINUTE, unanswered_since=None)
    assert dues(read(answered, steps)) == {"first_response": 60, "resolution": 500}


def test_what_was_answered_for_keeps_its_deadline_under_another_promise():
    answered = ticket(
        first_response_at=START + 10 * MINUTE,
        first_response_due_at=START + 60 * MINUTE,
        clocks_at=START + 11 * MINUTE,
        unanswered_since=None,
    )
    reading = read(answered, first_response_minutes=5, resolution_minutes=30)
    assert dues(reading) == {"first_response": 60, "resolution": 30}


@given(histories, st.integers(1, 600))
def test_the_due_time_is_the_earliest_of_the_open_clocks(steps, minutes):
    status = steps[-1][1] if steps else "new"
    assume(status not in {"solved", "closed"})
    reading = read(ticket(status=status), steps, resolution_minutes=minutes)
    earliest = min(clock.due_at for clock in reading.clocks)
    assert reading.due_at() == (None if status in RESTING else earliest)
