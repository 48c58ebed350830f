"""Affected seconds against a reference that counts every second by itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.cohorts import resolve
from incidents.models import Exposure
from tests.customers.factories import ComponentFactory, ComponentUseFactory, SubscriptionFactory
from tests.incidents.factories import IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db(transaction=False)

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # the night the clocks change in Europe
LONGEST = 90  # seconds
COMPONENTS = 3
REGIONS = ["", "eu", "us"]

seconds_in = st.integers(0, LONGEST)
outages = st.lists(
    st.fixed_dictionaries(
        {
            "component": st.integers(0, COMPONENTS - 1),
            "region": st.sampled_from(REGIONS),
            "impact": st.sampled_from(["major", "partial"]),
            "start": seconds_in,
            "length": st.none() | st.integers(1, LONGEST),
        }
    ),
    max_size=6,
)
lives = st.lists(
    st.fixed_dictionaries(
        {
            "uses": st.sets(st.integers(0, COMPONENTS - 1)),
            "region": st.sampled_from(REGIONS),
            "start": st.integers(-10, LONGEST),
            "length": st.none() | st.integers(0, LONGEST),
        }
    ),
    min_size=1,
    max_size=5,
)


def end(span):
    return None if span["length"] is None else span["start"] + span["length"]


def covers(span, second):
    return span["start"] <= second and (end(span) is None or second < end(span))


def reference(life, all_outages, as_of):
    """(major, partial, what goes on at `as_of`), second by second: the worst counts."""
    hitting = [
        outage
        for outage in all_outages
        if outage["component"] in life["uses"]
        and (not outage["region"] or not life["region"] or outage["region"] == life["region"])
    ]
    seconds = {"major": 0, "partial": 0, None: 0}
    for moment in range(as_of):
        impacts = (
            {o["impact"] for o in hitting if covers(o, moment)} if covers(life, moment) else ()
        )
        seconds[worst(impacts)] += 1
    lives_on = end(life) is None or as_of < end(life)
    running = {
        o["impact"]
        for o in hitting
        if o["start"] < as_of and (end(o) is None or end(o) > as_of) and lives_on
    }
    return seconds["major"], seconds["partial"], worst(running) or ""


def worst(impacts):
    return "major" if "major" in impacts else "partial" if impacts else None


def moment(seconds):
    return None if seconds is None else START + timedelta(seconds=seconds)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(all_outages=outages, all_lives=lives, as_of=st.integers(1, LONGEST + 20))
def test_seconds_are_those_of_the_reference(db, all_outages, all_lives, as_of):
    incident = IncidentFactory(started_at=START)
    components = ComponentFactory.create_batch(COMPONENTS)
    for outage in all_outages:
        OutageFactory(
            incident=incident,
            component=components[outage["component"]],
            impact=outage["impact"],
            region=outage["region"],
            starts_at=moment(outage["start"]),
            ends_at=moment(end(outage)),
        )
    wanted = {}
    for life in all_lives:
        subscription = SubscriptionFactory(
            region=life["region"],
            started_at=moment(life["start"]),
            ended_at=moment(end(life)),
        )
        for place in life["uses"]:
            ComponentUseFactory(subscription=subscription, component=components[place])
        seconds = reference(life, all_outages, as_of)
        if seconds[0] + seconds[1]:
            wanted[subscription.pk] = seconds
    resolve(incident, as_of=moment(as_of))
    exposures = Exposure.objects.filter(incident=incident).select_related("profile")
    assert {
        e.subscription_id: (e.major_seconds, e.partial_seconds, e.profile.running_impact)
        for e in exposures
    } == wanted
    _resolving_in_two_steps_gives_the_same(incident, all_outages, wanted, as_of)


def _resolving_in_two_steps_gives_the_same(incident, all_outages, wanted, as_of):
    resolve(incident, as_of=moment(max(as_of // 2, 1)))
    resolve(incident, as_of=moment(as_of))
    exposures = Exposure.objects.filter(incident=incident)
    assert {e.subscription_id: (e.major_seconds, e.partial_seconds) for e in exposures} == {
        pk: seconds[:2] for pk, seconds in wanted.items()
    }
    assert set(incident.profiles.values_list("pk", flat=True)) == set(
        exposures.values_list("profile", flat=True)
    )
