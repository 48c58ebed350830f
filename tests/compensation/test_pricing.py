"""A batch's awards from its incident's exposures."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.models import Award, Batch
from compensation.pricing import Priced, price
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, BatchFactory, RuleFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import ExposureFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    rule = RuleFactory(position=1, uptime_to=Decimal("99.9"))
    exposure = ExposureFactory()
    return BatchFactory(incident=exposure.incident, version=rule.version)


def test_price_writes_an_award_with_its_sum(batch):
    assert price(batch) == Priced(awards=1, excluded=0, customers=1, amounts={"EUR": 4990})
    award = Award.objects.get()
    assert award.amount_minor == 4990
    assert award.rules == [1]


def test_a_bound_of_many_days_is_reached():
    # 30 days in milliseconds are more than 32 bits hold
    rule = RuleFactory(uptime_to=Decimal(0), uptime_to_inclusive=True)
    exposure = ExposureFactory(major_seconds=31 * 24 * 3600)
    batch = BatchFactory(incident=exposure.incident, version=rule.version)
    assert price(batch).amounts == {"EUR": 4990}


def test_pricing_again_keeps_what_a_person_left_out(batch):
    price(batch)
    award = Award.objects.get()
    person = staff(Role.FINANCE)
    Award.objects.update(
        state="excluded", exclusion="by_hand", exclusion_reason="Is ours", excluded_by=person
    )
    batch.incident.exposures.update(major_seconds=7200)
    assert price(batch) == Priced(awards=0, excluded=1, customers=0, amounts={})
    again = Award.objects.get()
    assert again.pk != award.pk
    assert (again.exclusion_reason, again.excluded_by, again.major_seconds) == (
        "Is ours", person, 7200,
    )  # fmt: skip


@pytest.mark.parametrize("state", ["submitted", "approved", "issuing", "issued", "cancelled"])
def test_frozen_awards_are_not_priced_again(batch, state):
    Batch.objects.update(state=state)
    batch.refresh_from_db()
    with pytest.raises(MoveError):
        price(batch)


@pytest.mark.parametrize(("state", "excluded"), [("issued", 1), ("proposed", 1), ("failed", 0)])
def test_nobody_is_awarded_twice_for_one_incident(batch, state, excluded):
    exposure = batch.incident.exposures.get()
    other = BatchFactory(incident=batch.incident, version=batch.version, state="submitted")
    AwardFactory(batch=other, subscription=exposure.subscription, state=state)
    found = price(batch)
    assert (found.awards, found.excluded) == (1 - excluded, excluded)
    reasons = set(batch.awards.values_list("exclusion", flat=True))
    assert reasons == ({"already_awarded"} if excluded else {""})


def test_a_trial_is_given_where_only_a_credit_was_given_before(batch):
    """Awarded once means once a benefit."""
    exposure = batch.incident.exposures.get()
    RuleFactory(version=batch.version, position=2, trial_days=7)
    batch.version.rules.filter(position=1).delete()
    other = BatchFactory(incident=batch.incident, version=batch.version, state="issued")
    AwardFactory(batch=other, subscription=exposure.subscription, state="issued")
    price(batch)
    assert dict(batch.awards.values_list("benefit", "exclusion")) == {
        "credit": "already_awarded",
        "trial": "",
    }


def test_maintenance_counts_only_where_the_policy_says_so(batch):
    batch.incident.kind = "maintenance"
    batch.incident.save()
    assert price(batch).awards == 0
    batch.version.counts_maintenance = True
    assert price(batch).awards == 1


def test_a_further_condition_narrows_a_row(batch):
    austrian = SubscriptionFactory(customer__country="AT", fee_minor=1000)
    cohort = batch.incident.cohorts.get()
    ExposureFactory(cohort=cohort, subscription=austrian)
    ExposureFactory(cohort=cohort, subscription=None, customer=CustomerFactory())
    batch.version.rules.update(condition='customer.country = "AT" and fee_minor < 5000')
    assert price(batch) == Priced(awards=1, excluded=0, customers=1, amounts={"EUR": 100})


def test_pricing_needs_as_many_queries_for_many_as_for_one(batch):
    with CaptureQueriesContext(connection) as one:
        price(batch)
    cohort = batch.incident.cohorts.get()
    for _n in range(5):
        ExposureFactory(cohort=cohort)
    with CaptureQueriesContext(connection) as many:
        price(batch)
    assert len(one) == len(many)


def test_how_steps_are_joined_is_set_back(batch):
    batch.version.interval_minutes = Decimal(5)
    with transaction.atomic(), connection.cursor() as cursor:
        assert price(batch).amounts == {"EUR": 4990}
        cursor.execute("SELECT current_setting('enable_nestloop')")
        assert cursor.fetchone() == ("on",)
