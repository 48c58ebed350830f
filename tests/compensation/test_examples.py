"""Examples are priced as batches are, and leave nothing behind."""

from datetime import date
from decimal import Decimal

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection

from compensation.examples import run_examples
from compensation.findings import check_version
from compensation.models import PolicyExample
from tests.compensation.factories import PolicyVersionFactory, RuleFactory

pytestmark = pytest.mark.django_db


def example(version, minutes, expected=None, **more):
    """60 minutes or 3 x 20 of April 2026, for EUR 499.00 a month."""
    lengths = minutes if isinstance(minutes, list) else [minutes]
    return PolicyExample.objects.create(
        **{
            "version": version, "position": version.examples.count() + 1, "fee_minor": 49_900,
            "currency": "EUR", "minutes": [Decimal(one) for one in lengths],
            "starts_on": date(2026, 4, 1), "expected_minor": expected, **more,
        }
    )  # fmt: skip


@pytest.fixture
def version():
    return RuleFactory(position=1).version


def got(version):
    return [result.got_minor for result in run_examples(version)]


def everything():
    """Rows of every table, and the sequences' last values."""
    counts = {model._meta.label: model.objects.count() for model in apps.get_models()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")
        return counts, cursor.fetchall()


def test_what_comes_out_and_why(version):
    example(version, 60, 4_990)
    example(version, 43, 0)
    example(version, 60, 1)
    right, nothing, wrong = run_examples(version)
    assert (right.got_minor, right.rules, right.is_exact) == (4_990, (1,), True)
    assert (right.downtime_ms, right.period_ms) == (3_600_000, 2_592_000_000)
    assert float(right.uptime) == pytest.approx(99.861111)
    assert (nothing.got_minor, nothing.rules, nothing.is_exact) == (0, (), True)
    assert (wrong.got_minor, wrong.is_exact) == (4_990, False)


def test_nothing_stays_and_no_sequence_moves(version):
    example(version, [20, 20, 20], 4_990)
    example(version, 60, 4_990, starts_on=date(2026, 2, 1))
    before = everything()
    assert got(version) == [4_990, 4_990]
    assert everything() == before


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_queries_for_one_as_for_three(version, django_assert_num_queries, count):
    for _n in range(count):
        example(version, 60, 4_990)
    with django_assert_num_queries(16):
        run_examples(version)


def test_outages_stay_apart():
    version = PolicyVersionFactory(shortest_minutes=Decimal(30))
    RuleFactory(version=version, position=1)
    example(version, [29, 29, 29])
    example(version, [60, 29])
    assert got(version) == [0, 4_990]


def test_of_outages_priced_by_themselves_the_amounts_are_added_up():
    version = PolicyVersionFactory(fee_period="outage", cap_percent=Decimal(15))
    RuleFactory(version=version, position=1, uptime_to=None, minutes_from=Decimal(10))
    example(version, [10, 5])
    example(version, [10, 10])
    assert got(version) == [4_990, 7_485]


def test_a_made_up_period_counts_instead_of_the_calendars(version):
    example(version, 60, period_minutes=60_001)
    example(version, 61, period_minutes=60_001)
    (within, beyond) = run_examples(version)
    assert (within.got_minor, beyond.got_minor) == (0, 4_990)
    assert beyond.period_ms == 60_001 * 60_000


@pytest.mark.parametrize("share", ["customers", "requests"])
def test_the_share_that_was_hit_weighs(share):
    version = PolicyVersionFactory(affected_share=share)
    RuleFactory(
        version=version, position=1, uptime_to=None, credit="time_multiple",
        credit_value=Decimal(1),
    )  # fmt: skip
    for percent in (None, 10, 5):
        example(version, 60, fee_minor=43_200, share_percent=percent)
    assert got(version) == [60, 6, 3]


def test_rows_ask_who_it_is():
    version = PolicyVersionFactory()
    RuleFactory(version=version, position=1, plans=["Gold"], credit_value=Decimal(50))
    RuleFactory(version=version, position=2, segments=["vip"], credit_value=Decimal(40))
    RuleFactory(version=version, position=3, countries=["DE"], credit_value=Decimal(30))
    RuleFactory(version=version, position=4, tenure_months_to=12, credit_value=Decimal(20))
    example(version, 60, plan="Gold")
    example(version, 60, segment="vip")
    example(version, 60, country="DE")
    example(version, 60, tenure_months=11)
    example(version, 60, tenure_months=12)
    example(version, 60)
    assert got(version) == [24_950, 19_960, 14_970, 9_980, 0, 0]


def test_days_of_service_are_read_and_capped():
    version = PolicyVersionFactory(cap_days=5)
    RuleFactory(version=version, position=1, credit="", credit_value=None, trial_days=7)
    example(version, 60, expected_days=5)
    (result,) = run_examples(version)
    assert (result.got_days, result.got_minor, result.is_exact) == (5, 0, True)


def test_a_hole_is_exact_only_where_lint_finds_one():
    version = PolicyVersionFactory()
    RuleFactory(version=version, position=1, uptime_from=Decimal(99), uptime_from_inclusive=False)
    RuleFactory(version=version, position=2, uptime_to=Decimal(99), credit_value=Decimal(25))
    example(version, 432)
    example(version, 43)
    example(version, 433)
    hole, above, below = run_examples(version)
    assert (hole.is_exact, hole.hole.position) == (True, 1)
    assert (above.is_exact, below.is_exact) == (False, False)


def test_nobody_is_held_out_of_an_example():
    version = PolicyVersionFactory(is_voluntary=True, holdout_percent=Decimal(50))
    RuleFactory(version=version, position=1)
    for _n in range(12):
        example(version, 60, 4_990)
    assert got(version) == [4_990] * 12


def test_a_version_without_rows_gives_nothing():
    version = PolicyVersionFactory()
    example(version, 60, 0)
    (result,) = run_examples(version)
    assert (result.got_minor, result.is_exact, result.period_ms) == (0, True, 2_592_000_000)


@pytest.mark.parametrize(
    "odd",
    [
        {"starts_on": date(9999, 12, 1)},
        {"starts_on": date(1, 1, 1)},
        {"tenure_months": 2_147_483_647},
        {"fee_minor": 9_223_372_036_854_775_807},
    ],
)
def test_what_cannot_be_counted_is_told(version, odd):
    version.rules.update(credit_value=999_999)
    example(version, 60, 4_990, **odd)
    with pytest.raises(ValidationError, match="comes to more than can be counted"):
        run_examples(version)
    assert [one.code for one in check_version(version) if one.is_error] == ["example_too_large"]


def test_nobody_is_with_us_for_centuries(version):
    version.rules.update(tenure_months_from=2_147_483_647)
    example(version, 60, 0)
    assert got(version) == [0]
