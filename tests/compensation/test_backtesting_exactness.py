"""A backtest gives what pricing each incident by itself gives, one after the other."""

import os
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.customers.models import ComponentUse, Customer, Subscription
from compensation.backtesting.walking import plan, walk
from compensation.models import Award, Batch, Policy, PolicyVersion, Rule
from compensation.pricing import price
from incidents.cohorts import resolve
from incidents.models import Exposure, Incident, Outage
from tests.compensation.drawing import versions
from tests.customers.factories import ComponentFactory

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("BACKTEST_EXAMPLES", "25"))
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST = datetime(2026, 8, 3, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG_AGO = datetime(2020, 1, 31, 6, tzinfo=UTC)

incidents = st.fixed_dictionaries(
    {
        "day": st.sampled_from([0, 1, 20, 40, 41, 70]),
        "kind": st.sampled_from(["incident", "incident", "incident", "maintenance"]),
        "is_resolved": st.booleans(),
        "outages": st.lists(
            st.fixed_dictionaries(
                {
                    "component": st.integers(0, 1),
                    "impact": st.sampled_from(["major", "partial"]),
                    "region": st.sampled_from(["", "", "eu"]),
                    "percent": st.sampled_from([None, 50]),
                    "after": st.sampled_from([0, 1, 5]),
                    "hours": st.sampled_from([1, 2, 30]),
                }
            ),
            min_size=1,
            max_size=3,
        ),
    }
)
# Few choices, so that many are alike and fall into one class.
subscriptions = st.fixed_dictionaries(
    {
        "plan": st.sampled_from(["Business", "Consumer"]),
        "fee_minor": st.sampled_from([1001, 4990, 49_900]),
        "interval_months": st.sampled_from([1, 1, 12]),
        "region": st.sampled_from(["", "eu", "us"]),
        "uses": st.sampled_from([(), (0,), (0, 1), (0, 1)]),
        "status": st.sampled_from(["active", "active", "canceled", "trialing"]),
        "began": st.sampled_from([None, None, 2, 26, 20 * 24 + 3]),
        "ended": st.sampled_from([None, None, 1, 26, 21 * 24, 100 * 24]),
        "on_stripe": st.sampled_from([True, True, False]),
        "period_from": st.sampled_from([None, None, -200, 3]),
    }
)
customers = st.fixed_dictionaries(
    {
        "country": st.sampled_from(["DE", "DE", "JP"]),
        "currency": st.sampled_from(["EUR", "EUR", "", "JPY"]),
        "on_stripe": st.sampled_from([True, True, False]),
        "subscriptions": st.lists(subscriptions, min_size=1, max_size=2),
        "copies": st.integers(1, 3),
    }
)
worlds = st.fixed_dictionaries(
    {
        "versions": st.tuples(versions(), versions()),
        "incidents": st.lists(incidents, min_size=1, max_size=4),
        "customers": st.lists(customers, min_size=1, max_size=3),
    }
)


def build(world):
    made = []
    for n, (terms, table) in enumerate(world["versions"]):
        policy = Policy.objects.create(key=f"random-{n}", name="Random")
        made.append(PolicyVersion.objects.create(policy=policy, number=1, **terms))
        Rule.objects.bulk_create(Rule(version=made[-1], **rule) for rule in table)
    components = [ComponentFactory.create(), ComponentFactory.create()]
    for n, drawn in enumerate(world["incidents"]):
        happen(n, drawn, components)
    number = 0
    for drawn in world["customers"]:
        for _copy in range(drawn["copies"]):
            number += 1
            join(number, drawn, components)
    return made


def happen(n, drawn, components):
    at = FIRST + drawn["day"] * DAY
    outages = [
        (at + o["after"] * HOUR, at + (o["after"] + o["hours"]) * HOUR, o) for o in drawn["outages"]
    ]
    incident = Incident.objects.create(
        number=f"INC-{n}", kind=drawn["kind"], started_at=at,
        resolved_at=max(end for _start, end, _o in outages), state=Incident.State.RESOLVED,
    )  # fmt: skip
    for start, end, one in outages:
        Outage.objects.create(
            incident=incident, component=components[one["component"]], impact=one["impact"],
            region=one["region"], affected_percent=one["percent"], starts_at=start, ends_at=end,
        )  # fmt: skip


def join(number, drawn, components):
    customer = Customer.objects.create(
        reference=f"C-{number}", country=drawn["country"], currency=drawn["currency"],
        stripe_customer_id=f"cus_{number}" if drawn["on_stripe"] else None,
    )  # fmt: skip
    for n, one in enumerate(drawn["subscriptions"]):
        began = LONG_AGO if one["began"] is None else FIRST + one["began"] * HOUR
        ended = None if one["ended"] is None else max(FIRST + one["ended"] * HOUR, began + HOUR)
        period = None if one["period_from"] is None else FIRST + one["period_from"] * DAY
        subscription = Subscription.objects.create(
            reference=f"S-{number}-{n}", customer=customer, plan=one["plan"], currency="EUR",
            fee_minor=one["fee_minor"], interval_months=one["interval_months"],
            region=one["region"], status=one["status"], started_at=began, ended_at=ended,
            period_start=period, period_end=period and period + 30 * DAY,
            stripe_subscription_id=f"sub_{number}_{n}" if one["on_stripe"] else None,
        )  # fmt: skip
        ComponentUse.objects.bulk_create(
            ComponentUse(subscription=subscription, component=components[c]) for c in one["uses"]
        )


def priced_one_by_one(version):
    """As it would have gone: each incident found, priced and approved before the next.

    Nobody is held out.
    """
    awards = []
    with transaction.atomic():
        PolicyVersion.objects.filter(pk=version.pk).update(holdout_percent=0)
        version = PolicyVersion.objects.get(pk=version.pk)
        Exposure.objects.all().delete()
        for incident in Incident.objects.order_by("started_at", "id"):
            as_they_were(incident)
            resolve(incident, as_of=NOW)
            batch = Batch.objects.create(
                number=f"{version.pk}-{incident.pk}", incident=incident, version=version
            )
            price(batch)
            found = list(batch.awards.all())
            batch.awards.filter(state="proposed").update(state="approved", destination="x")
            awards += [(incident, award) for award in found]
        transaction.set_rollback(True)
    return awards


def as_they_were(incident):
    """Who was cancelled later was not when it was resolved."""
    gone = Subscription.objects.filter(reference__in=GONE, ended_at__isnull=False)
    gone.update(status="canceled")
    gone.filter(ended_at__gt=incident.resolved_at).update(status="active")


GONE: set[str] = set()


def expected(version):
    months, left_out, days, customers = {}, Counter(), defaultdict(Counter), Counter()
    for incident, award in priced_one_by_one(version):
        if award.exclusion:
            left_out[award.exclusion] += 1
        elif award.benefit != "credit":
            days[award.benefit] += Counter(awards=1, days=award.days)
        else:
            key = f"{incident.started_at:%Y-%m}", award.currency
            month = months.setdefault(key, {"amount_minor": 0, "awards": 0, "customers": set(),
                                            "largest_minor": 0})  # fmt: skip
            month["amount_minor"] += award.amount_minor
            month["awards"] += 1
            month["customers"].add(award.customer_id)
            month["largest_minor"] = max(month["largest_minor"], award.amount_minor)
            customers[award.customer_id, award.currency] += award.amount_minor
    for month in months.values():
        month["customers"] = len(month["customers"])
    return months, dict(left_out), {name: dict(sums) for name, sums in days.items()}, customers


@given(world=worlds)
@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_backtest_adds_up_to_what_pricing_each_incident_gives(world):
    with time_machine.travel(NOW, tick=False), transaction.atomic():
        tested, against = build(world)
        GONE.clear()
        GONE.update(
            Subscription.objects.filter(status="canceled").values_list("reference", flat=True)
        )
        for incident, drawn in zip(
            Incident.objects.order_by("number"), world["incidents"], strict=True
        ):
            if drawn["is_resolved"]:
                resolve(incident, as_of=NOW)
        before = Award.objects.count()
        result = walk(plan(tested, against, date(2026, 8, 1), date(2026, 11, 30)), lambda _n: None)
        assert Award.objects.count() == before
        totals = {}
        for side, version in (("ours", tested), ("theirs", against)):
            months, left_out, days, totals[side] = expected(version)
            got = {
                (row["month"], row["currency"]): row[side]
                for row in result["months"]
                if row[side]["awards"]
            }
            assert got == months
            assert result["left_out"][side] == left_out
            assert result["days"][side] == days
        differ = {
            key: (totals["ours"][key], totals["theirs"][key])
            for key in totals["ours"] | totals["theirs"]
            if totals["ours"][key] != totals["theirs"][key]
        }
        assert {
            (row["customer"], row["currency"]): (row["ours"], row["theirs"])
            for row in result["differences"]
        } == differ
        transaction.set_rollback(True)


def test_no_table_is_left_behind_or_hidden(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()")
        assert cursor.fetchall() == []
