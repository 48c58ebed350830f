"""Pricing in SQL equals an exact reference in Python's fractions."""

import os
from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from compensation.explanations import explain, explain_data
from compensation.models import Award
from compensation.pricing import Liability, liability, price
from tests.compensation.drawing import worlds
from tests.compensation.reference import Owed, owed
from tests.compensation.worlds import Built

pytestmark = [
    pytest.mark.django_db,
    # a world that fails is long before it is made smaller
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]
NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
# A case is an exposure under a policy; a world has up to 250.
CASES = int(os.environ.get("PRICING_CASES", "10000"))
WORLDS_AT_ONCE = 25
LAST_PLACE = Fraction(1, 10**6)  # of `raw_amount`
# Awards of each batch whose explanation is looked at, too.
EXPLAINED = 3


def written(awards):
    return [
        Owed(
            subscription=award.subscription_id,
            customer=award.customer_id,
            benefit=award.benefit,
            state=award.state,
            exclusion=award.exclusion,
            amount_minor=award.amount_minor,
            currency=award.currency,
            days=award.days,
            until=award.trial_end_target or award.priority_until,
            rules=tuple(sorted(award.rules)),
        )
        for award in awards
    ]


def test_sql_gives_what_exact_fractions_give():
    cases = Counter()

    @given(world=worlds)
    @settings(max_examples=WORLDS_AT_ONCE, suppress_health_check=list(HealthCheck))
    def agrees(world):
        with time_machine.travel(NOW, tick=False), transaction.atomic():
            built = Built(world)
            for version in built.versions:
                compare(built, version)
                cases["all"] += built.cases
            transaction.set_rollback(True)

    while cases["all"] < CASES:
        agrees()


def compare(built, version):
    """Awards one by one, and what the pricing says of them."""
    batch = built.batch(version)
    expected = owed(version, built.incident, now=NOW, given=built.given)
    result = price(batch)
    read = Award.objects.select_related("batch__version", "incident")
    awards = list(read.prefetch_related("batch__version__rules").filter(batch=batch))
    got = written(awards)
    assert sorted(set(got) ^ set(expected), key=repr) == []
    assert len(got) == len(expected)
    proposed = [one for one in expected if one.state == "proposed"]
    assert (result.awards, result.excluded) == (len(proposed), len(expected) - len(proposed))
    sums = Counter()
    for one in proposed:
        if one.benefit == "credit":
            sums[one.currency] += one.amount_minor
    assert result.amounts == dict(sums)
    for award in awards[:EXPLAINED]:
        told(award)
    if version == built.versions[0]:
        # The same statement, not written, tells the same.
        found = liability(batch.incident, version)
        assert {each.currency: each.amount_minor for each in found} == dict(sums)
        assert all(isinstance(each, Liability) for each in found)


def told(award):
    """Its explanation comes to what was priced."""
    data = explain_data(award)
    rows = {row["position"] for part in data["parts"] for row in part["rows"]}
    field = {"credit": "credit", "trial": "trial_days", "priority": "priority_days"}[award.benefit]
    rules = award.batch.version.rules.all()
    assert rows == {r.position for r in rules if r.position in award.rules and getattr(r, field)}
    if award.benefit == "credit":
        left = Fraction(data["amount"]["promised"]) - data["amount"]["given_by_batches_minor"]
        assert abs(left - Fraction(award.raw_amount)) < LAST_PLACE
    assert all(explain(award, language) for language in ("en", "de", "ru"))
