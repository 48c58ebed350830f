"""The sum of an award in words, from what was frozen."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine

from compensation.explanations import explain, explain_steps
from compensation.models import Award, PolicyVersion, Rule
from compensation.pricing import price
from tests.compensation.factories import (
    AwardFactory,
    BatchFactory,
    PolicyVersionFactory,
    RuleFactory,
)
from tests.customers.factories import SubscriptionFactory
from tests.incidents.factories import CohortFactory, ExposureFactory, IncidentFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def priced(version, *, subscription=None, started=datetime(2026, 9, 14, tzinfo=UTC), **seconds):
    """The awards of one exposure under `version`, begun in September: 43,200 minutes."""
    cohort = CohortFactory(incident=IncidentFactory(started_at=started))
    subscription = subscription or SubscriptionFactory()
    ExposureFactory(cohort=cohort, subscription=subscription, **seconds)
    batch = BatchFactory(incident=cohort.incident, version=version)
    price(batch)
    return list(batch.awards.order_by("id"))


def test_the_sum_of_the_design():
    version = RuleFactory(uptime_to=Decimal("99.9"), credit_value=Decimal(10)).version
    (award,) = priced(version)
    assert explain(award) == (
        "60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: 10 % of EUR 499.00 = EUR 49.90"
    )
    assert explain(award, "de") == (
        "60 von 43.200 Minuten = 99,861 % Verfügbarkeit; "
        "unter 99,9 %: 10 % von 499,00 EUR = 49,90 EUR"
    )
    assert explain(award, "ru") == (
        "60 из 43\xa0200 мин = доступность 99,861 %; ниже 99,9 %: 10 % от 499,00 EUR = 49,90 EUR"
    )
    assert explain(award, "fr") == explain(award, "en")


def test_uptime_shows_the_digits_that_tell_it_from_a_bound():
    # 259.2 s are allowed at 99.99 %: one that is 0.2 s better must not read as 99.990
    rule = RuleFactory(uptime_from=Decimal("99.99"), uptime_from_inclusive=False, uptime_to=None)
    (award,) = priced(rule.version, major_seconds=259)
    assert explain(award) == (
        "4 min 19 s of 43,200 minutes = 99.990007 % uptime; above 99.99 %: "
        "10 % of EUR 499.00 = EUR 49.90"
    )


def test_exactly_a_bound_is_written_plainly():
    rule = RuleFactory(uptime_to=Decimal("99.9"), uptime_to_inclusive=True)
    (award,) = priced(rule.version, major_seconds=43200 * 60 // 1000)
    assert explain(award).startswith(
        "43 min 12 s of 43,200 minutes = 99.900 % uptime; at most 99.9"
    )


def test_partial_weight_and_both_bounds():
    version = PolicyVersionFactory(partial_weight=Decimal("0.5"))
    RuleFactory(version=version, uptime_from=Decimal(99))
    (award,) = priced(version, major_seconds=3600, partial_seconds=3600)
    assert explain(award) == (
        "60 minutes out of order + 60 minutes partly out of order at 50 % = 90 minutes of "
        "43,200 minutes = 99.791 % uptime; below 99.9 % and from 99 %: "
        "10 % of EUR 499.00 = EUR 49.90"
    )


def test_cap_with_what_was_given():
    version = PolicyVersionFactory(cap_amounts={"EUR": 6000})
    RuleFactory(version=version)
    first = SubscriptionFactory()
    second = SubscriptionFactory(customer=first.customer)
    priced_first = priced(version, subscription=first)
    priced_first[0].batch.awards.update(
        state=Award.State.APPROVED, idempotency_key="", destination="cus_1"
    )
    (award,) = priced(version, subscription=second)
    assert award.amount_minor == 1010
    assert explain(award) == (
        "60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: 10 % of EUR 499.00 = EUR 49.90; "
        "at most EUR 60.00 in this period, of which EUR 49.90 were given before: EUR 10.10"
    )
    assert explain(award, "de").endswith(
        "höchstens 60,00 EUR in diesem Zeitraum, davon 49,90 EUR schon gegeben: 10,10 EUR"
    )


def test_several_rows_add_up():
    version = PolicyVersionFactory(hit_policy=PolicyVersion.HitPolicy.ALL)
    RuleFactory(version=version, position=1)
    RuleFactory(
        version=version, position=2, uptime_to=None, minutes_from=Decimal(30),
        credit=Rule.Credit.FIXED, credit_value=None, credit_amounts={"EUR": 500},
    )  # fmt: skip
    (award,) = priced(version)
    assert explain(award) == (
        "60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: 10 % of EUR 499.00; "
        "from 30 minutes: EUR 5.00; together EUR 54.90"
    )


def test_yearly_fee_and_time_multiple():
    version = RuleFactory(
        uptime_to=None, credit=Rule.Credit.TIME_MULTIPLE, credit_value=Decimal(2)
    ).version
    yearly = SubscriptionFactory(fee_minor=100_000, interval_months=12)
    (award,) = priced(version, subscription=yearly, major_seconds=24 * 3600)
    assert award.amount_minor == 556  # 2 x 83.33... x 1/30 = 5.555...
    assert explain(award) == (
        "1,440 of 43,200 minutes = 96.666 % uptime; 2 x EUR 83.333333 (1/12 of EUR 1,000.00) "
        "x 1,440 minutes / 43,200 minutes = EUR 5.56"
    )


def test_trial_and_priority():
    version = RuleFactory(credit="", credit_value=None, trial_days=7, priority_days=30).version
    trialing = SubscriptionFactory(status="trialing", trial_end=datetime(2026, 11, 25, tzinfo=UTC))
    trial, priority = priced(version, subscription=trialing)
    start = "60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: "
    assert explain(trial) == start + "7 more days of service, until December 2, 2026"
    assert explain(priority) == start + "30 days of priority support, until December 21, 2026"
    assert explain(trial, "de").endswith("7 weitere Tage Service, bis 2. Dezember 2026")


def test_goodwill_has_no_sum():
    award = AwardFactory(
        batch=None, source="goodwill", amount_minor=2000, origin="T-10482", reason="So long a wait."
    )
    assert explain(award) == "Goodwill, ticket T-10482: So long a wait."
    assert explain(award, "de") == "Kulanz, Ticket T-10482: So long a wait."
    assert explain(award, "ru") == "В знак доброй воли, обращение T-10482: So long a wait."
    assert explain(award, "fr") == explain(award)
    award.origin = ""
    assert explain(award) == "Goodwill: So long a wait."
    assert explain_steps(award, "de") == [("Gutschrift", "20,00 EUR")]


def test_steps_show_every_figure():
    version = PolicyVersionFactory(
        cap_percent=Decimal(5), minimum_amounts={"EUR": 100}, is_minimum_exclusive=True
    )
    RuleFactory(version=version, position=2)
    (award,) = priced(version, subscription=SubscriptionFactory(fee_minor=4999))
    assert explain_steps(award) == [
        ("Out of order", "60 minutes"),
        ("Period", "September 1, 2026 to September 30, 2026 (43,200 minutes)"),
        ("Uptime", "99.861 %"),
        ("Row 2", "below 99.9 %: 10 % of EUR 49.99"),
        ("Fee of the period", "EUR 49.99"),
        ("Before rounding", "EUR 4.999"),
        ("At most in this period", "EUR 2.50"),
        ("Paid out from", "more than EUR 1.00"),
        ("Award", "EUR 2.50"),
    ]
    assert explain(award) == (
        "60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: 10 % of EUR 49.99 = EUR 4.999; "
        "at most EUR 2.50 in this period: EUR 2.50"
    )


def test_an_award_reads_the_same_after_the_policy_moved_on(django_assert_num_queries):
    version = RuleFactory().version
    (award,) = priced(version)
    before = explain(award)
    RuleFactory(version=PolicyVersionFactory(policy=version.policy, number=2), credit_value=50)
    again = Award.objects.select_related("batch__version").prefetch_related("batch__version__rules")
    award = again.get(pk=award.pk)
    with django_assert_num_queries(0):
        assert explain(award) == before
