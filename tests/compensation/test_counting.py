"""Downtime counted from the outages: what seconds times weights do not tell."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from compensation.models import Award, PolicyVersion, Rule
from compensation.pricing import price
from incidents.cohorts import resolve
from tests.compensation.factories import (
    AwardFactory,
    BatchFactory,
    PolicyVersionFactory,
    RuleFactory,
)
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)
from tests.incidents.factories import (
    CohortFactory,
    ExposureFactory,
    IncidentFactory,
    OutageFactory,
)

pytestmark = pytest.mark.django_db
# June has 43,200 minutes: EUR 432.00 are a cent a minute.
START = datetime(2026, 6, 10, tzinfo=UTC)
FEE = 43_200


@pytest.fixture
def subscription():
    return SubscriptionFactory(fee_minor=FEE, started_at=START - timedelta(days=400))


@pytest.fixture
def fibre(subscription):
    component = ComponentFactory()
    ComponentUseFactory(subscription=subscription, component=component)
    return component


def incident(component, *outages, start=START, **more):
    """Resolved, with outages of (minute it begins, minutes, and more)."""
    made = IncidentFactory(started_at=start, resolved_at=start + timedelta(days=5), **more)
    for first, length, *rest in outages:
        begins = start + timedelta(minutes=first)
        OutageFactory(
            incident=made, component=component, starts_at=begins,
            ends_at=begins + timedelta(minutes=length), **dict(*rest),
        )  # fmt: skip
    CohortFactory(incident=made)
    resolve(made)
    made.refresh_from_db()
    return made


def terms(*, rows=None, **around):
    """A version that gives a cent for each minute unless `rows` say otherwise."""
    version = PolicyVersionFactory(**around)
    each_minute = {"credit": Rule.Credit.TIME_MULTIPLE, "credit_value": 1, "uptime_to": None}
    for position, row in enumerate(rows or [{}], start=1):
        RuleFactory(version=version, position=position, **(each_minute | row))
    return version


def owed(version, hit):
    batch = BatchFactory(incident=hit, version=version)
    price(batch)
    award = Award.objects.filter(batch=batch).first()
    return award and (award.amount_minor or award.days)


@pytest.mark.parametrize(
    ("around", "cents"),
    [
        ({}, 3 + 5 + 12),
        ({"shortest_minutes": 5}, 5 + 12),
        ({"shortest_minutes": 5, "is_shortest_exclusive": True}, 12),
        ({"interval_minutes": 5}, 0 + 5 + 10),
        ({"interval_minutes": 5, "interval_rounding": "started"}, 5 + 5 + 15),
        ({"interval_minutes": 5, "interval_rounding": "nearest"}, 5 + 5 + 10),
        ({"interval_minutes": 5, "shortest_minutes": 4}, 5 + 10),
        ({"shortest_minutes": 13}, None),
    ],
)
def test_short_outages_and_whole_intervals(fibre, around, cents):
    hit = incident(fibre, (0, 3), (10, 5), (30, 12))
    assert owed(terms(**around), hit) == cents


def test_what_touches_is_one_outage(fibre):
    hit = incident(fibre, (0, 3), (3, 3), (4, 4))
    assert owed(terms(shortest_minutes=8), hit) == 8
    assert owed(terms(shortest_minutes=8, is_shortest_exclusive=True), hit) is None


def test_partial_outages_are_weighed_and_where_they_weigh_nothing_do_not_join(fibre):
    partial = {"impact": "partial"}
    hit = incident(fibre, (0, 4), (4, 6, partial), (10, 4))
    half = terms(partial_weight=Decimal("0.5"), shortest_minutes=14)
    assert owed(half, hit) == 4 + 3 + 4
    assert owed(terms(partial_weight=0, shortest_minutes=5), hit) is None
    assert owed(terms(partial_weight=0, shortest_minutes=4), hit) == 8


def test_the_largest_share_of_failed_requests_counts_at_each_moment(fibre):
    hit = incident(
        fibre,
        (0, 60, {"affected_percent": Decimal(25)}),
        (30, 60, {"affected_percent": Decimal("50.5")}),
    )
    assert owed(terms(affected_share="requests", rounding="down"), hit) == int(7.5 + 60 * 0.505)
    award = Award.objects.get()
    assert award.downtime_ms == 30 * 15_000 + 60 * 30_300
    assert award.counted == {"incidents": 1, "outages": [[90 * 60_000, "2268000", "2268000"]]}


def test_the_share_of_customers_that_were_hit(fibre):
    SubscriptionFactory.create_batch(3, started_at=START - timedelta(days=9))
    hit = incident(fibre, (0, 100))
    assert owed(terms(affected_share="customers"), hit) == 25
    assert Award.objects.get().counted["share"] == "0.25"


def test_who_was_cancelled_nobody_knows_when_is_none_of_the_customers_there_were(fibre):
    for status in ("canceled", "incomplete_expired"):
        SubscriptionFactory(started_at=START - timedelta(days=9), status=status)
    SubscriptionFactory(
        started_at=START - timedelta(days=9), status="canceled", ended_at=START + timedelta(days=1)
    )
    hit = incident(fibre, (0, 100))
    assert owed(terms(affected_share="customers"), hit) == 50


def test_shares_of_an_hour_add_up_beyond_32_bits(fibre):
    """Each is 2,102,400,000 of the parts that a month is cut into so that all are whole."""
    row = {"credit": Rule.Credit.HOURS, "credit_value": Decimal("0.0008")}
    both = [row | {"fee_hours": None}, row | {"fee_hours": 730}]
    version = terms(rows=both, hit_policy=PolicyVersion.HitPolicy.ALL, rounding="up")
    assert owed(version, incident(fibre, (0, 100))) == 1
    raw = Decimal(FEE) * Decimal("0.0008") * (1 / Decimal(720) + 1 / Decimal(730))
    assert Award.objects.get().raw_amount == raw.quantize(Decimal("0.000001"))


def test_what_is_counted_of_an_outage_is_told_to_the_last_part_of_a_millisecond(fibre):
    SubscriptionFactory.create_batch(2, started_at=START - timedelta(days=9))
    thirds = terms(affected_share="customers", partial_weight=Decimal("0.333"))
    owed(thirds, incident(fibre, (0, 100, {"impact": "partial"})))
    weighed = "665999.334"  # 6,000,000 x 0.333 x 0.333333
    assert Award.objects.get().counted["outages"] == [[6_000_000, weighed, weighed]]


def test_each_outage_by_itself(fibre):
    """Bands by length: 12 hours up to 10 minutes, 24 up to an hour, of 672 in a month."""
    hours = {"credit": Rule.Credit.HOURS, "fee_hours": 672}
    rows = [
        hours | {"credit_value": 12, "minutes_from": 1, "minutes_to": 10},
        hours | {"credit_value": 24, "minutes_from": 10, "minutes_to": 60},
    ]
    hit = incident(fibre, (0, 9), (20, 3), (60, 59), (200, 60))
    version = terms(rows=rows, fee_period="outage")
    assert owed(version, hit) == round(FEE * 48 / 672)
    award = Award.objects.get()
    assert award.rules == [1, 2]
    # the hour fits no row
    assert award.downtime_ms == 71 * 60_000
    assert [each[0] for each in award.counted["outages"]] == [
        540_000,
        180_000,
        3_540_000,
        3_600_000,
    ]
    capped = terms(rows=rows, fee_period="outage", cap_percent=5)
    assert owed(capped, hit) == FEE * 5 / 100


def test_each_outage_under_all_rows(fibre):
    rows = [{"minutes_from": 5}, {"credit": "fixed", "credit_amounts": {"EUR": 100}}]
    hit = incident(fibre, (0, 9), (20, 3))
    assert owed(terms(rows=rows, fee_period="outage", hit_policy="all"), hit) == 9 + 200


@pytest.mark.parametrize(
    ("minutes", "counts", "cents"),
    [
        (216, "completed", 0),
        (275, "completed", 0),
        (276, "completed", 2160),
        (276, "started", 2160),
        (277, "started", 4320),
        (217, "started", 2160),
        (900, "completed", 11 * 2160),
    ],
)
def test_steps_beyond_what_an_uptime_allows(fibre, minutes, counts, cents):
    row = {"credit": "step", "credit_value": 5, "step_minutes": 60, "step_counts": counts}
    hit = incident(fibre, (0, minutes))
    version = terms(rows=[row | {"allowance_uptime": Decimal("99.5")}])
    assert owed(version, hit) == (cents or None)
    version = terms(rows=[row | {"allowance_minutes": 216}], hit_policy="all")
    assert owed(version, hit) == (cents or None)


def test_a_years_uptime_of_one_months_fee(fibre):
    hit = incident(fibre, (0, 263))
    below = {"credit": "percent", "credit_value": 50, "uptime_to": Decimal("99.95")}
    year = {"fee_period": "year", "cap_percent": 100}
    assert owed(terms(rows=[below], fee_base="month", **year), hit) == FEE / 2
    assert owed(terms(rows=[below], **year), hit) == FEE * 6


@pytest.mark.parametrize(
    ("minutes", "rounding", "is_due"),
    [
        (43, "half_up", False),  # 99.9005 %
        (44, "half_up", False),  # 99.8981 %, rounded 99.90 %
        (46, "half_up", True),  # 99.8935 %, rounded 99.89 %
        (44, "down", True),
        (47, "up", False),
        (48, "up", True),
    ],
)
def test_uptime_rounded_before_it_is_compared(fibre, minutes, rounding, is_due):
    hit = incident(fibre, (0, minutes))
    around = {"uptime_decimals": 2, "uptime_rounding": rounding}
    below = terms(rows=[{"uptime_to": Decimal("99.9")}], **around)
    assert (owed(below, hit) is not None) == is_due
    above = terms(rows=[{"uptime_from": Decimal("99.9")}], **around)
    assert (owed(above, hit) is None) == is_due


def test_days_of_service_have_a_cap(fibre):
    rows = [{"credit": "", "credit_value": None, "trial_days": 10}]
    earlier = incident(fibre, (0, 9), start=START - timedelta(days=3))
    hit = incident(fibre, (0, 9))
    version = terms(rows=rows, cap_days=15)
    assert owed(version, earlier) == 10
    Award.objects.update(state="approved")
    assert owed(version, hit) == 5


class TestPeriod:
    """The period's total, less what was given for it."""

    def test_later_incidents_bring_it_below(self, fibre):
        earlier = incident(fibre, (0, 30), start=START - timedelta(days=3))
        hit = incident(fibre, (0, 30))
        row = {"credit": "percent", "credit_value": 10, "uptime_to": Decimal("99.9")}
        assert owed(terms(rows=[row]), hit) is None
        version = terms(rows=[row], basis="period")
        assert owed(version, hit) == FEE / 10
        assert Award.objects.get().counted["incidents"] == 2
        # The other one gets nothing more for the same total.
        Award.objects.update(state="approved")
        assert owed(version, earlier) is None

    def test_less_what_was_given(self, fibre, subscription):
        earlier = incident(fibre, (0, 30), start=START - timedelta(days=3))
        version = terms(basis="period")
        assert owed(version, earlier) == 30
        Award.objects.update(state="approved")
        AwardFactory(
            source="goodwill", batch=None, subscription=subscription, amount_minor=5,
            state="issued", incident=earlier,
        )  # fmt: skip
        hit = incident(fibre, (0, 12))
        assert owed(version, hit) == 12

    def test_what_overlaps_counts_once(self, fibre):
        incident(fibre, (0, 30))
        hit = incident(fibre, (20, 30), start=START + timedelta(seconds=0))
        assert owed(terms(basis="period"), hit) == 50

    def test_another_month_and_maintenance_do_not_count(self, fibre):
        incident(fibre, (0, 30), start=START - timedelta(days=30))
        incident(fibre, (100, 30), start=START, kind="maintenance", state="completed")
        hit = incident(fibre, (0, 10))
        assert owed(terms(basis="period"), hit) == 10
        assert owed(terms(basis="period", counts_maintenance=True), hit) == 40

    def test_billing_periods_of_their_own(self, fibre, subscription):
        subscription.period_start = START - timedelta(days=2)
        subscription.period_end = subscription.period_start + timedelta(days=30)
        subscription.save()
        incident(fibre, (0, 30), start=START - timedelta(days=3))
        incident(fibre, (0, 7), start=START - timedelta(days=1))
        hit = incident(fibre, (0, 10))
        assert owed(terms(basis="period", fee_period="billing"), hit) == 17

    def test_stated_seconds_count_too(self, fibre, subscription):
        earlier = IncidentFactory(started_at=START - timedelta(days=3))
        cohort = CohortFactory(incident=earlier)
        ExposureFactory(cohort=cohort, subscription=subscription, major_seconds=600)
        hit = incident(fibre, (0, 10))
        assert owed(terms(basis="period"), hit) == 20


def test_a_voluntary_promise_holds_some_out(fibre, subscription):
    for _n in range(40):
        other = SubscriptionFactory(started_at=START - timedelta(days=9))
        ComponentUseFactory(subscription=other, component=fibre)
    hit = incident(fibre, (0, 100), number="INC-2026-077")
    version = terms(is_voluntary=True, holdout_percent=Decimal(50))
    batch = BatchFactory(incident=hit, version=version)
    price(batch)
    out = set(
        batch.awards.filter(exclusion="held_out").values_list("customer__reference", flat=True)
    )
    assert 8 <= len(out) <= 33
    assert batch.awards.filter(state="proposed").count() == 41 - len(out)
    price(batch)
    again = batch.awards.filter(exclusion="held_out").values_list("customer__reference", flat=True)
    assert set(again) == out


def test_one_without_a_subscription_has_a_share_in_the_period():
    customer = CustomerFactory(currency="EUR")
    for days in (3, 0):
        made = IncidentFactory(started_at=START - timedelta(days=days))
        cohort = CohortFactory(incident=made)
        ExposureFactory(cohort=cohort, subscription=None, customer=customer, major_seconds=600)
    fixed = {"credit": "fixed", "credit_value": None, "credit_amounts": {"EUR": 100}}
    version = terms(rows=[fixed | {"minutes_from": 20}], basis=PolicyVersion.Basis.PERIOD)
    assert owed(version, made) == 100
