"""Whom an incident hit, and for how long."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import OperationalError, connection

from backoffice.customers.models import Subscription
from compensation.models import Award
from incidents.cohorts import remove_cohort, resolve
from incidents.models import Cohort, CohortMember, Exposure, ExposureProfile, Incident
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)
from tests.incidents.factories import CohortFactory, IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db

START = datetime(2026, 10, 14, 14, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = START + timedelta(days=1)


@pytest.fixture
def fibre():
    return ComponentFactory(key="fibre")


@pytest.fixture
def incident():
    return IncidentFactory(started_at=START)


def user_of(*components, **fields):
    """A subscription that uses `components`."""
    subscription = SubscriptionFactory(**fields)
    for component in components:
        ComponentUseFactory(subscription=subscription, component=component)
    return subscription


def outage(incident, component, start=0, end=60, **fields):
    """An outage from minute `start` to minute `end` (None: it goes on)."""
    ends_at = None if end is None else START + timedelta(minutes=end)
    return OutageFactory(
        incident=incident,
        component=component,
        starts_at=START + timedelta(minutes=start),
        ends_at=ends_at,
        **fields,
    )


def seconds(subscription):
    exposure = Exposure.objects.get(subscription=subscription)
    return exposure.major_seconds, exposure.partial_seconds


def test_a_user_of_the_component_is_exposed(incident, fibre):
    outage(incident, fibre)
    hit = user_of(fibre)
    user_of(ComponentFactory())
    found = resolve(incident, as_of=NOW)
    exposure = Exposure.objects.get()
    assert (exposure.subscription, exposure.customer) == (hit, hit.customer)
    assert (exposure.major_seconds, exposure.partial_seconds) == (3600, 0)
    assert exposure.cohort.name == "Everyone affected"
    assert (found.subscriptions, found.customers) == (1, 1)
    assert found.counts == {exposure.cohort_id: 1}
    incident.refresh_from_db()
    assert (incident.cohorts_resolved_at, incident.affected_customers) == (NOW, 1)
    assert incident.cohorts.get().exposure_count == 1


def test_without_outages_nobody_is_hit(incident, fibre):
    user_of(fibre)
    assert resolve(incident).subscriptions == 0
    assert incident.cohorts.get().exposure_count == 0


def test_where_outages_overlap_the_worst_counts(incident, fibre):
    other = ComponentFactory()
    outage(incident, fibre, 0, 60, impact="partial")
    outage(incident, other, 30, 40, impact="major")
    outage(incident, other, 35, 90, impact="partial")
    both, first = user_of(fibre, other), user_of(fibre)
    resolve(incident, as_of=NOW)
    assert seconds(both) == (10 * 60, 80 * 60)
    assert seconds(first) == (0, 3600)


def test_an_outage_hits_its_region_and_those_without_one(incident, fibre):
    outage(incident, fibre, region="EU")
    outage(incident, fibre, 60, 70)
    here, there, anywhere = (user_of(fibre, region=r) for r in ("EU", "US", ""))
    resolve(incident, as_of=NOW)
    assert [seconds(s)[0] for s in (here, there, anywhere)] == [4200, 600, 4200]


def test_a_life_clips_the_outage(incident, fibre):
    outage(incident, fibre)
    late = user_of(fibre, started_at=START + HOUR / 2)
    left = user_of(fibre, ended_at=START + HOUR / 4)
    user_of(fibre, started_at=START + HOUR)
    user_of(fibre, ended_at=START)
    resolve(incident, as_of=NOW)
    assert seconds(late) == (1800, 0)
    assert seconds(left) == (900, 0)
    assert Exposure.objects.count() == 2


def test_the_cancelled_are_hit_only_where_their_end_is_known(incident, fibre):
    outage(incident, fibre)
    user_of(fibre, status="canceled")
    known = user_of(fibre, status="canceled", ended_at=START + HOUR / 2)
    trial = user_of(fibre, status="trialing")
    resolve(incident, as_of=NOW)
    assert seconds(known) == (1800, 0)
    assert seconds(trial) == (3600, 0)
    assert Exposure.objects.count() == 2


def test_a_running_outage_counts_until_now(incident, fibre):
    outage(incident, fibre, end=None)
    stays = user_of(fibre)
    leaves = user_of(fibre, ended_at=START + 2 * HOUR)
    resolve(incident, as_of=START + HOUR)
    assert seconds(stays) == (3600, 0)
    profiles = {e.subscription: e.profile for e in Exposure.objects.select_related("profile")}
    assert profiles[stays].running_impact == "major"
    assert profiles[stays].lived_to is None
    assert profiles[leaves].running_impact == "major"
    assert profiles[leaves].lived_to == START + 2 * HOUR
    resolve(incident, as_of=START + 3 * HOUR)
    assert seconds(stays) == (3 * 3600, 0)
    assert seconds(leaves) == (2 * 3600, 0)
    gone = Exposure.objects.get(subscription=leaves)
    assert gone.profile.running_impact == ""


def test_the_running_impact_is_the_worst(incident, fibre):
    outage(incident, fibre, end=None, impact="partial")
    outage(incident, fibre, 0, 10, impact="major")
    user_of(fibre)
    resolve(incident, as_of=START + HOUR)
    assert ExposureProfile.objects.get().running_impact == "partial"
    outage(incident, fibre, 5, None, impact="major")
    resolve(incident, as_of=START + HOUR)
    assert ExposureProfile.objects.get().running_impact == "major"


def test_more_components_than_a_bigint_has_bits(incident):
    components = ComponentFactory.create_batch(70)
    for minute, component in enumerate(components):
        outage(incident, component, minute, minute + 1)
    first, last = user_of(*components[:2]), user_of(components[0], components[-1])
    resolve(incident, as_of=NOW)
    assert seconds(first) == (120, 0)
    assert seconds(last) == (120, 0)
    profile = Exposure.objects.get(subscription=last).profile
    assert profile.components == [components[0].pk, components[-1].pk]


def snapshot():
    return set(
        Exposure.objects.values_list(
            "pk", "cohort_id", "subscription_id", "major_seconds", "partial_seconds", "profile_id"
        )
    )


def versions():
    """PostgreSQL's own mark of a row version: it changes when a row is rewritten."""
    return dict(
        Exposure.objects.extra(select={"xmin": "xmin::text || ctid::text"}).values_list(
            "pk", "xmin"
        )
    )


def test_resolving_again_changes_nothing(incident, fibre):
    outage(incident, fibre)
    for _ in range(3):
        user_of(fibre)
    resolve(incident, as_of=NOW)
    rows, marks = snapshot(), versions()
    resolve(incident, as_of=NOW + HOUR)
    assert (snapshot(), versions()) == (rows, marks)
    assert ExposureProfile.objects.count() == 1


def test_resolving_again_rewrites_only_what_differs(incident, fibre):
    other = ComponentFactory()
    outage(incident, fibre)
    kept, changed, gone = user_of(fibre), user_of(fibre, other), user_of(fibre)
    resolve(incident, as_of=NOW)
    marks = versions()
    outage(incident, other, 60, 70)
    gone.component_uses.all().delete()
    new = user_of(other)
    resolve(incident, as_of=NOW)
    pks = dict(Exposure.objects.values_list("subscription", "pk"))
    assert set(pks) == {kept.pk, changed.pk, new.pk}
    assert seconds(changed) == (4200, 0)
    assert versions()[pks[kept.pk]] == marks[pks[kept.pk]]
    assert pks[changed.pk] in marks


def test_a_subscription_goes_to_the_first_cohort_it_fits(incident, fibre):
    outage(incident, fibre)
    rest = CohortFactory(incident=incident, position=3)
    business = CohortFactory(incident=incident, position=1, condition='plan = "Business"')
    again = CohortFactory(incident=incident, position=2, condition='plan = "Business"')
    one, two = user_of(fibre, plan="Business"), user_of(fibre, plan="Consumer")
    found = resolve(incident, as_of=NOW)
    assert dict(Exposure.objects.values_list("subscription", "cohort")) == {
        one.pk: business.pk,
        two.pk: rest.pk,
    }
    assert found.counts == {business.pk: 1, again.pk: 0, rest.pk: 1}


def test_whoever_fits_no_cohort_is_not_exposed(incident, fibre):
    outage(incident, fibre)
    CohortFactory(incident=incident, condition='plan = "Business"')
    user_of(fibre, plan="Consumer")
    assert resolve(incident, as_of=NOW).subscriptions == 0


def test_conditions_on_customer_and_components_count_each_subscription_once(incident, fibre):
    other = ComponentFactory(key="voice")
    outage(incident, fibre)
    outage(incident, other, 60, 70)
    german = CohortFactory(
        incident=incident, position=1, condition='customer.country = "DE" and component = "voice"'
    )
    rest = CohortFactory(incident=incident, position=2)
    both = user_of(fibre, other)
    swiss = user_of(fibre, other, customer=CustomerFactory(country="CH"))
    assert resolve(incident, as_of=NOW).counts == {german.pk: 1, rest.pk: 1}
    assert Exposure.objects.get(cohort=german).subscription == both
    assert seconds(swiss) == (4200, 0)


def listing(incident, position=1):
    return CohortFactory(incident=incident, position=position, source=Cohort.Source.LIST)


def test_a_list_takes_computed_seconds(incident, fibre):
    outage(incident, fibre)
    member, rest = user_of(fibre), user_of(fibre)
    unhit = user_of()
    cohort = listing(incident)
    for subscription in (member, unhit):
        CohortMember.objects.create(
            cohort=cohort, customer=subscription.customer, subscription=subscription
        )
    everyone = CohortFactory(incident=incident, position=2)
    found = resolve(incident, as_of=NOW)
    assert found.counts == {cohort.pk: 1, everyone.pk: 1}
    assert Exposure.objects.get(cohort=cohort).profile.major_seconds == 3600
    assert Exposure.objects.get(cohort=everyone).subscription == rest


def test_a_list_takes_given_seconds_as_they_are(incident, fibre):
    outage(incident, fibre)
    hit, unhit, left_out = user_of(fibre), user_of(), user_of(fibre)
    cohort = listing(incident)
    for subscription, given in ((hit, 60), (unhit, 120), (left_out, 0)):
        CohortMember.objects.create(
            cohort=cohort, customer=subscription.customer, subscription=subscription,
            partial_seconds=given,
        )  # fmt: skip
    CohortFactory(incident=incident, position=2)
    resolve(incident, as_of=NOW)
    assert set(Exposure.objects.values_list("subscription", "partial_seconds", "profile")) == {
        (hit.pk, 60, None),
        (unhit.pk, 120, None),
    }


def test_a_list_after_a_condition_gets_only_the_rest(incident, fibre):
    outage(incident, fibre)
    hit, unhit = user_of(fibre), user_of()
    CohortFactory(incident=incident, position=1)
    cohort = listing(incident, position=2)
    for subscription in (hit, unhit):
        CohortMember.objects.create(
            cohort=cohort, customer=subscription.customer, subscription=subscription,
            major_seconds=5,
        )  # fmt: skip
    resolve(incident, as_of=NOW)
    assert Exposure.objects.get(cohort=cohort).subscription == unhit
    assert seconds(hit) == (3600, 0)


@pytest.mark.parametrize("given", [None, 90])
def test_a_listed_customer_stands_for_the_subscriptions_hit(incident, fibre, given):
    outage(incident, fibre)
    one = user_of(fibre)
    two = user_of(fibre, customer=one.customer)
    user_of(customer=one.customer)
    CohortMember.objects.create(
        cohort=listing(incident), customer=one.customer, major_seconds=given
    )
    resolve(incident, as_of=NOW)
    assert dict(Exposure.objects.values_list("subscription", "major_seconds")) == dict.fromkeys(
        [one.pk, two.pk], given or 3600
    )


def test_a_listed_customer_nobody_saw_hit_stands_for_what_lived(incident):
    alive = SubscriptionFactory()
    for fields in (
        {"ended_at": START - HOUR},
        {"status": "canceled"},
        {"started_at": START + HOUR},
    ):
        SubscriptionFactory(customer=alive.customer, **fields)
    bare = CustomerFactory()
    cohort = listing(incident)
    for customer in (alive.customer, bare):
        CohortMember.objects.create(cohort=cohort, customer=customer, major_seconds=90)
    found = resolve(incident, as_of=START + HOUR / 2)
    assert set(Exposure.objects.values_list("customer", "subscription", "major_seconds")) == {
        (alive.customer_id, alive.pk, 90),
        (bare.pk, None, 90),
    }
    assert found.customers == 2
    marks = versions()
    resolve(incident, as_of=START + HOUR / 2)
    assert versions() == marks


def test_a_listed_customer_unhit_and_without_seconds_is_not_exposed(incident):
    CohortMember.objects.create(cohort=listing(incident), customer=CustomerFactory())
    CohortMember.objects.create(
        cohort=incident.cohorts.get(), customer=SubscriptionFactory().customer
    )
    assert resolve(incident, as_of=NOW).subscriptions == 0


def test_a_named_subscription_beats_its_customer(incident, fibre):
    outage(incident, fibre)
    named = user_of(fibre)
    cohort = listing(incident)
    CohortMember.objects.create(cohort=cohort, customer=named.customer, major_seconds=1)
    CohortMember.objects.create(
        cohort=cohort, customer=named.customer, subscription=named, major_seconds=2
    )
    resolve(incident, as_of=NOW)
    assert seconds(named) == (2, 0)


def test_what_a_batch_refers_to_stays_as_it_is(incident, fibre):
    outage(incident, fibre)
    gone = user_of(fibre)
    cohort = CohortFactory(incident=incident)
    resolve(incident, as_of=NOW)
    batch = BatchFactory(incident=incident)
    award = AwardFactory(batch=batch, subscription=gone, cohort=cohort)
    before = Award.objects.filter(pk=award.pk).values().get()
    gone.component_uses.all().delete()
    assert resolve(incident, as_of=NOW).subscriptions == 0
    remove_cohort(cohort=cohort, by=None)
    assert Award.objects.filter(pk=award.pk).values().get() == before


def test_removing_a_cohort_moves_its_subscriptions_on(incident, fibre):
    outage(incident, fibre)
    hit = user_of(fibre)
    first = CohortFactory(incident=incident, position=1)
    second = CohortFactory(incident=incident, position=2)
    assert resolve(incident, as_of=NOW).counts == {first.pk: 1, second.pk: 0}
    remove_cohort(cohort=first, by=None)
    assert resolve(incident, as_of=NOW).counts == {second.pk: 1}
    assert Exposure.objects.get().subscription == hit


def test_one_resolution_of_an_incident_runs_at_a_time(incident):
    with psycopg.connect(**connection.get_connection_params()) as other:
        key = f"cohorts of {incident.pk}"
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        connection.cursor().execute("SET LOCAL lock_timeout = '100ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            resolve(incident)
    assert resolve(incident).subscriptions == 0


def test_incidents_do_not_disturb_each_other(incident, fibre):
    outage(incident, fibre)
    user_of(fibre)
    other: Incident = IncidentFactory()
    outage(other, fibre, 0, 10)
    resolve(incident, as_of=NOW)
    resolve(other, as_of=NOW)
    resolve(incident, as_of=NOW)
    assert sorted(Exposure.objects.values_list("incident", "major_seconds")) == sorted(
        [(incident.pk, 3600), (other.pk, 600)]
    )
    assert Subscription.objects.count() == 1
