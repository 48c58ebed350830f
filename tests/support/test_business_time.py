"""Counting in business hours: against a count minute by minute, and where others go wrong."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from django.core.exceptions import ValidationError
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from support.business_time import (
    BusinessCalendar,
    add_business_seconds,
    business_seconds_between,
)
from tests.support.slow_hours import slow_add, slow_between

HOUR = 3600
ALWAYS = dict.fromkeys(range(7), ((0, 1440),))
OFFICE = dict.fromkeys(range(5), ((9 * 60, 17 * 60),))
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kolkata",
    "Pacific/Apia",  # left 30 December 2011 out
    "America/Sao_Paulo",  # changed at midnight, until 2019
    "Africa/Casablanca",  # goes back for Ramadan
    "America/Havana",
]
# Changes of the clocks and other days at which counting breaks.
EDGES = [
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 12, tzinfo=UTC),
    datetime(2026, 10, 3, 12, tzinfo=UTC),
    datetime(2011, 12, 30, tzinfo=UTC),
    datetime(2018, 2, 18, tzinfo=UTC),
    datetime(2018, 11, 4, tzinfo=UTC),
    datetime(2026, 12, 31, tzinfo=UTC),
    datetime(2028, 2, 29, tzinfo=UTC),
]


def berlin(slots, **more):
    return BusinessCalendar(ZoneInfo("Europe/Berlin"), slots, **more)


def at(zone, *parts):
    return datetime(*parts, tzinfo=ZoneInfo(zone))


@st.composite
def calendars(draw):
    minute = st.integers(0, 48).map(lambda half_hour: half_hour * 30)
    slot = st.tuples(minute, minute).filter(lambda pair: pair[0] < pair[1])
    week = st.dictionaries(st.integers(0, 6), st.lists(slot, min_size=1, max_size=3), min_size=1)
    near = draw(st.sampled_from(EDGES)).date()
    days = st.integers(-20, 20).map(lambda n: near + timedelta(days=n))
    span = st.tuples(days, st.integers(0, 30)).map(lambda s: (s[0], s[0] + timedelta(days=s[1])))
    return BusinessCalendar(
        time_zone=ZoneInfo(draw(st.sampled_from(ZONES))),
        slots=draw(week),
        holidays=draw(st.frozensets(days, max_size=5)),
        closures=tuple(draw(st.lists(span, max_size=2))),
        reopenings=tuple(draw(st.lists(span, max_size=1))),
    ), near


@st.composite
def moments(draw, near, within_days=12):
    minutes = draw(st.integers(-within_days * 1440, within_days * 1440))
    return datetime(near.year, near.month, near.day, tzinfo=UTC) + timedelta(minutes=minutes)


any_moment = st.builds(
    lambda edge, seconds: edge + timedelta(seconds=seconds),
    st.sampled_from(EDGES),
    st.integers(-400 * 86_400, 400 * 86_400),
)


@given(st.data())
@settings(max_examples=150)
def test_between_counts_as_a_look_at_each_minute_does(data):
    calendar, near = data.draw(calendars())
    start, end = sorted([data.draw(moments(near)), data.draw(moments(near))])
    assert business_seconds_between(calendar, start, end) == slow_between(calendar, start, end)


@given(st.data(), st.integers(1, 20 * 60))
@settings(max_examples=150)
def test_add_arrives_where_a_look_at_each_minute_does(data, minutes):
    calendar, near = data.draw(calendars())
    start = data.draw(moments(near))
    found = add_business_seconds(calendar, start, minutes * 60)
    assume(found - start < timedelta(days=60))
    assert found == slow_add(calendar, start, minutes * 60)


@given(st.data(), any_moment, st.integers(0, 10_000_000))
def test_what_was_added_lies_between(data, start, seconds):
    calendar, _near = data.draw(calendars())
    end = add_business_seconds(calendar, start, seconds)
    assert business_seconds_between(calendar, start, end) == seconds
    if seconds:  # the first such moment
        sooner = end - timedelta(seconds=1)
        assert business_seconds_between(calendar, start, sooner) == seconds - 1


@given(st.data(), any_moment, st.integers(1, 10_000_000))
def test_counting_back_finds_the_last_moment_that_leaves_enough(data, end, seconds):
    calendar, _near = data.draw(calendars())
    start = add_business_seconds(calendar, end, -seconds)
    assert business_seconds_between(calendar, start, end) == seconds
    later = start + timedelta(seconds=1)
    assert business_seconds_between(calendar, later, end) == seconds - 1


@given(st.data(), any_moment, any_moment, any_moment)
def test_parts_add_up_and_nothing_runs_backwards(data, one, two, three):
    calendar, _near = data.draw(calendars())
    first, middle, last = sorted([one, two, three])
    whole = business_seconds_between(calendar, first, last)
    parts = [
        business_seconds_between(calendar, first, middle),
        business_seconds_between(calendar, middle, last),
    ]
    assert whole == sum(parts)
    assert min(parts) >= 0
    assert whole <= (last - first).total_seconds()
    assert business_seconds_between(calendar, last, first) == -whole


@given(st.data(), any_moment, any_moment, st.integers(0, 1_000_000), st.integers(0, 1_000_000))
def test_adding_is_monotone_and_adds_up(data, one, two, seconds, more):
    calendar, _near = data.draw(calendars())
    sooner, later = sorted([one, two])
    reached = add_business_seconds(calendar, sooner, seconds)
    assert reached <= add_business_seconds(calendar, later, seconds)
    assert reached <= add_business_seconds(calendar, sooner, seconds + more)
    both = add_business_seconds(calendar, sooner, seconds + more)
    assert add_business_seconds(calendar, reached, more) == (both if more else reached)


@given(any_moment, st.integers(-5_000_000, 5_000_000), st.sampled_from(ZONES))
def test_a_calendar_that_never_closes_counts_real_time(start, seconds, zone):
    calendar = BusinessCalendar(ZoneInfo(zone), ALWAYS)
    assert add_business_seconds(calendar, start, seconds) == start + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("zone", "day", "seconds"),
    [
        ("Europe/Berlin", (2026, 3, 29), 2 * HOUR),
        ("Europe/Berlin", (2026, 10, 25), 4 * HOUR),
        ("Europe/Berlin", (2026, 10, 24), 3 * HOUR),
        ("America/New_York", (2026, 3, 8), 2 * HOUR),
        ("America/New_York", (2026, 11, 1), 4 * HOUR),
        ("Australia/Lord_Howe", (2026, 10, 4), 2.5 * HOUR),
        ("Australia/Lord_Howe", (2026, 4, 5), 3.5 * HOUR),
        ("Asia/Kolkata", (2026, 3, 29), 3 * HOUR),
        ("Pacific/Apia", (2011, 12, 30), 0),
    ],
)
def test_a_night_slot_lasts_as_long_as_it_really_lasts(zone, day, seconds):
    calendar = BusinessCalendar(ZoneInfo(zone), dict.fromkeys(range(7), ((60, 240),)))
    start = at(zone, *day)
    end = at(zone, *(date(*day) + timedelta(days=1)).timetuple()[:3])
    assert business_seconds_between(calendar, start, end) == seconds


def test_hours_through_midnight_are_one_piece():
    calendar = berlin({4: ((22 * 60, 1440),), 5: ((0, 6 * 60),)})
    friday = at("Europe/Berlin", 2026, 11, 20, 23)
    assert add_business_seconds(calendar, friday, 2 * HOUR) == at("Europe/Berlin", 2026, 11, 21, 1)


def test_a_deadline_falls_on_closing_time_not_on_the_next_opening():
    calendar = berlin(OFFICE)
    four = at("Europe/Berlin", 2026, 11, 20, 16)
    assert add_business_seconds(calendar, four, HOUR) == at("Europe/Berlin", 2026, 11, 20, 17)
    assert add_business_seconds(calendar, four, HOUR + 1) == at(
        "Europe/Berlin", 2026, 11, 23, 9, 0, 1
    )


def test_counting_back_falls_on_the_opening_not_on_the_closing_before():
    calendar = berlin(OFFICE)
    ten = at("Europe/Berlin", 2026, 11, 23, 10)
    assert add_business_seconds(calendar, ten, -HOUR) == at("Europe/Berlin", 2026, 11, 23, 9)
    assert add_business_seconds(calendar, ten, -HOUR - 60) == at(
        "Europe/Berlin", 2026, 11, 20, 16, 59
    )


def test_holidays_of_the_state_count_as_closed():
    start = at("Europe/Berlin", 2026, 10, 30, 16)  # a Friday
    plain = berlin(OFFICE, holidays=holidays.country_holidays("DE", subdiv="BE"))
    saxony = berlin(
        dict.fromkeys(range(7), ((9 * 60, 17 * 60),)),
        holidays=holidays.country_holidays("DE", subdiv="SN"),
    )
    assert add_business_seconds(plain, start, 2 * HOUR) == at("Europe/Berlin", 2026, 11, 2, 10)
    # Saturday 31 October is Reformation Day in Saxony.
    assert add_business_seconds(saxony, start, 2 * HOUR) == at("Europe/Berlin", 2026, 11, 1, 10)


def test_a_reopened_day_is_open_in_spite_of_its_holiday():
    new_year = (date(2027, 1, 1), date(2027, 1, 1))
    calendar = berlin(OFFICE, holidays=holidays.country_holidays("DE"), reopenings=(new_year,))
    start = at("Europe/Berlin", 2027, 1, 1)
    assert add_business_seconds(calendar, start, HOUR) == at("Europe/Berlin", 2027, 1, 1, 10)


def test_a_closure_of_weeks_is_skipped():
    calendar = berlin(OFFICE, closures=((date(2026, 12, 21), date(2027, 1, 17)),))
    friday = at("Europe/Berlin", 2026, 12, 18, 16, 30)
    assert add_business_seconds(calendar, friday, HOUR) == at("Europe/Berlin", 2027, 1, 18, 9, 30)


@pytest.mark.parametrize("slots", [{}, {0: ()}])
def test_a_calendar_without_hours_is_refused(slots):
    with pytest.raises(ValidationError, match="no working hours"):
        berlin(slots)


@pytest.mark.parametrize("slot", [(600, 600), (600, 540), (0, 1441), (-1, 5)])
def test_a_slot_outside_a_day_is_refused(slot):
    with pytest.raises(ValidationError, match="must end after"):
        berlin({0: (slot,)})


@pytest.mark.parametrize("seconds", [1, -1])
def test_a_calendar_closed_for_good_says_so(seconds):
    calendar = berlin(OFFICE, closures=((date(2000, 1, 1), date(2400, 1, 1)),))
    with pytest.raises(ValidationError, match="no working hours for over 5 years"):
        add_business_seconds(calendar, at("Europe/Berlin", 2026, 1, 1), seconds)


def test_a_calendar_with_a_long_closure_still_counts():
    calendar = berlin(OFFICE, closures=((date(2026, 1, 1), date(2029, 12, 31)),))
    start = at("Europe/Berlin", 2026, 1, 1)
    assert add_business_seconds(calendar, start, HOUR) == at("Europe/Berlin", 2030, 1, 1, 10)


def test_a_count_of_a_century_is_refused():
    calendar = berlin({0: ((0, 1),)})
    with pytest.raises(ValidationError, match="more than 100 years"):
        add_business_seconds(calendar, at("Europe/Berlin", 2026, 1, 1), 10_000_000)


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        add_business_seconds(berlin(OFFICE), datetime(2026, 1, 1), 1)  # noqa: DTZ001


@example(start=datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=UTC))
@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_fractions_of_a_second_are_dropped(start):
    calendar = berlin(OFFICE)
    end = add_business_seconds(calendar, start, 60)
    assert end.microsecond == 0
    assert business_seconds_between(calendar, start, end) == 60
