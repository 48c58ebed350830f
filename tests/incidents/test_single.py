"""One subscription counted in by itself, as counting everybody would have counted it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.cohorts import resolve
from incidents.cohorts.single import count_in
from incidents.cohorts.spans import lived_spans, outages_of
from incidents.models import CohortMember, Exposure
from tests.customers.factories import ComponentFactory, ComponentUseFactory, SubscriptionFactory
from tests.incidents.factories import CohortFactory, IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 10, 14, 14, 0, tzinfo=UTC)
AFTER = BEGAN + timedelta(days=2)


def at(seconds):
    return BEGAN + timedelta(seconds=seconds)


@st.composite
def worlds(draw):
    """Outages of two components in regions, and when the subscription lived."""
    outages = draw(
        st.lists(
            st.tuples(
                st.integers(0, 1), st.sampled_from(["major", "partial"]),
                st.sampled_from(["", "eu", "us"]), st.integers(0, 500), st.integers(1, 500),
            ),
            min_size=1, max_size=5,
        )
    )  # fmt: skip
    started = draw(st.integers(-100, 600))
    ended = draw(st.none() | st.integers(started, 1200))
    return outages, draw(st.sampled_from(["", "eu"])), started, ended


@given(worlds())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_is_counted_like_all(world):
    outages, region, started, ended = world
    with transaction.atomic():
        incident = IncidentFactory(started_at=BEGAN)
        components = [ComponentFactory(), ComponentFactory()]
        for place, impact, where, start, length in outages:
            OutageFactory(
                incident=incident, component=components[place], impact=impact, region=where,
                starts_at=at(start), ends_at=at(start + length),
            )  # fmt: skip
        subscription = SubscriptionFactory(
            region=region, started_at=at(started), ended_at=None if ended is None else at(ended)
        )
        for component in components:
            ComponentUseFactory(subscription=subscription, component=component)
        spans = lived_spans(subscription, outages_of(subscription), until=AFTER)
        incident.cohorts_resolved_at = AFTER
        one = count_in(incident, subscription, cohort_name="Claims")
        alone = one and (one.major_seconds, one.partial_seconds)
        Exposure.objects.filter(incident=incident).delete()
        resolve(incident, as_of=AFTER)
        all_ = Exposure.objects.filter(incident=incident).first()
        assert alone == (all_ and (all_.major_seconds, all_.partial_seconds))
        lived = [sum((getattr(s, kind) for s in spans), timedelta()).total_seconds()
                 for kind in ("major", "partial")]  # fmt: skip
        assert (alone or (0, 0)) == tuple(lived)
        transaction.set_rollback(True)


def hit(**fields):
    outage = OutageFactory()
    resolve(outage.incident)
    use = ComponentUseFactory(component=outage.component, **fields)
    return outage.incident, use.subscription


def test_who_fits_a_cohort_goes_there_and_others_on_the_list():
    outage = OutageFactory()
    business = CohortFactory(incident=outage.incident, condition='plan = "Business"', position=1)
    resolve(outage.incident)
    one = ComponentUseFactory(component=outage.component).subscription
    other = ComponentUseFactory(component=outage.component, subscription__plan="Home").subscription
    assert count_in(outage.incident, one, cohort_name="Claims").cohort == business
    found = count_in(outage.incident, other, cohort_name="Claims")
    assert (found.cohort.name, found.cohort.source) == ("Claims", "list")
    assert count_in(outage.incident, other, cohort_name="Claims") == found
    assert CohortMember.objects.get().subscription == other
    outage.incident.refresh_from_db()
    assert outage.incident.affected_customers == 2
    counts = sorted(outage.incident.cohorts.values_list("name", "exposure_count"))
    assert dict(counts) == {business.name: 1, "Claims": 1}
    resolve(outage.incident)
    assert dict(sorted(outage.incident.cohorts.values_list("name", "exposure_count"))) == dict(
        counts
    )


def test_incident_that_was_never_counted_still_gets_everyone_later():
    outage = OutageFactory()
    uses = [ComponentUseFactory(component=outage.component) for _ in range(2)]
    count_in(outage.incident, uses[0].subscription, cohort_name="Claims")
    assert Exposure.objects.count() == 1
    assert resolve(outage.incident).subscriptions == 2


def test_list_that_says_no_time_is_believed():
    incident, subscription = hit()
    cohort = CohortFactory(incident=incident, source="list", position=1)
    CohortMember.objects.create(
        cohort=cohort, subscription=subscription, customer=subscription.customer, major_seconds=0
    )
    assert count_in(incident, subscription, cohort_name="Claims") is None
    assert not Exposure.objects.exists()


def test_who_was_not_hit_is_not_counted():
    incident, _subscription = hit()
    assert count_in(incident, SubscriptionFactory(), cohort_name="Claims") is None
    assert not incident.cohorts.filter(name="Claims").exists()
