"""Pricing in SQL equals an exact reference in Python's fractions."""

import os
from collections import Counter
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from compensation.models import Award
from compensation.pricing import Liability, liability, price
from tests.compensation.reference import Owed, owed
from tests.compensation.worlds import build, worlds

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EXAMPLES = int(os.environ.get("PRICING_EXAMPLES", "300"))


def written(batch):
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
            rules=tuple(award.rules),
        )
        for award in Award.objects.filter(batch=batch)
    ]


@given(world=worlds)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_sql_gives_what_exact_fractions_give(world):
    with time_machine.travel(NOW, tick=False), transaction.atomic():
        batch, before = build(world)
        expected = owed(batch.version, batch.incident, now=NOW, given=before)
        result = price(batch)
        got = written(batch)
        assert sorted(got, key=repr) == sorted(expected, key=repr)
        proposed = [one for one in expected if one.state == "proposed"]
        assert (result.awards, result.excluded) == (len(proposed), len(expected) - len(proposed))
        # The same statement, not written, tells the same.
        sums = Counter()
        for one in proposed:
            if one.benefit == "credit":
                sums[one.currency] += one.amount_minor
        found = liability(batch.incident, batch.version)
        assert {each.currency: each.amount_minor for each in found} == dict(sums) == result.amounts
        assert all(isinstance(each, Liability) for each in found)
        transaction.set_rollback(True)
