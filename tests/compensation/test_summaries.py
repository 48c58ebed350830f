from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.accounts.roles import Role
from compensation.exclusions import exclude_award
from compensation.models import Batch
from compensation.summaries import awards_progress, bucket_step, summarise
from tests.accounts.factories import staff
from tests.compensation.factories import (
    AwardFactory,
    PolicyVersionFactory,
    RuleFactory,
    activate,
)
from tests.compensation.stories import priced_batch
from tests.customers.factories import CustomerFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    version = PolicyVersionFactory()
    RuleFactory(version=version, position=1, label="Business below 99.9 %")
    RuleFactory(version=version, position=2, label="")
    batch = priced_batch(awards=0, version=activate(version))
    swiss = SubscriptionFactory(customer=CustomerFactory(name="Alp AG", country="CH"))
    common = {"batch": batch, "plan": "Business", "country": "DE", "rules": [1]}
    AwardFactory(**common, amount_minor=100)
    AwardFactory(**common, amount_minor=700)
    AwardFactory(
        **common | {"country": "CH", "rules": [1, 2], "plan": "Home"},
        subscription=swiss,
        amount_minor=30,
        currency="CHF",
    )
    AwardFactory(
        **common | {"rules": [2]},
        subscription=swiss,
        benefit="trial",
        amount_minor=0,
        currency="",
        days=7,
    )
    AwardFactory(**common, state="excluded", exclusion="cancelled", amount_minor=1)
    return batch


def line(key, label, awards, **amounts_minor):
    return {"key": key, "label": label, "awards": awards, "amounts_minor": amounts_minor}


def test_summarise(batch):
    summary = summarise(batch)
    assert summary["awards"] == 4
    assert summary["customers"] == 3
    assert summary["amounts_minor"] == {"EUR": 800, "CHF": 30}
    assert summary["by_benefit"] == [
        line("credit", "credit", 3, EUR=800, CHF=30),
        line("trial", "trial extension", 1),
    ]
    assert summary["by_rule"] == [
        line("1", "Business below 99.9 %", 2, EUR=800),
        line("1+2", "Business below 99.9 % + Row 2", 1, CHF=30),
        line("2", "Row 2", 1),
    ]
    assert summary["by_plan"] == [
        line("Business", "Business", 3, EUR=800),
        line("Home", "Home", 1, CHF=30),
    ]
    assert summary["by_country"] == [
        line("DE", "DE", 3, EUR=800),
        line("CH", "CH", 1, CHF=30),
    ]
    assert summary["left_out"] == [
        {"exclusion": "cancelled", "label": "cancelled since", "awards": 1}
    ]
    euro = summary["spreads"]["EUR"]
    assert (euro["median_minor"], euro["largest_minor"]) == (100, 700)
    assert euro["buckets"] == [
        {"from_minor": 100, "to_minor": 150, "awards": 1},
        {"from_minor": 700, "to_minor": 750, "awards": 1},
    ]
    assert [large["amount_minor"] for large in euro["largest"]] == [700, 100]
    assert summary["spreads"]["CHF"]["largest"][0]["customer"] == "Alp AG"


def test_summarise_is_kept_until_the_awards_change(batch, django_assert_num_queries):
    first = summarise(batch)
    again = Batch.objects.get(pk=batch.pk)
    with django_assert_num_queries(0):
        assert summarise(again) == first
    exclude_award(
        batch.awards.filter(state="proposed").first(), by=staff(Role.FINANCE), reason="no"
    )
    assert summarise(Batch.objects.get(pk=batch.pk))["awards"] == 3


def test_summarise_empty_batch():
    summary = summarise(priced_batch(awards=0))
    assert (summary["awards"], summary["amounts_minor"], summary["spreads"]) == (0, {}, {})


@pytest.mark.parametrize("awards", [1, 3])
def test_summarise_takes_as_many_queries_for_any_size(awards, django_assert_num_queries):
    batch = priced_batch(awards=awards)
    with django_assert_num_queries(11):
        summarise(batch)


@pytest.mark.parametrize(
    ("largest", "step"), [(1, 1), (19, 1), (20, 2), (4990, 500), (99_999_999, 5_000_000)]
)
def test_bucket_step(largest, step):
    assert bucket_step(largest) == step
    assert largest // step < 20


def test_awards_progress(django_assert_num_queries):
    batch = priced_batch(awards=6)
    now = timezone.now()
    batch.issuing_started_at = now - timedelta(minutes=5)
    batch.awards.update(state="approved")
    ids = list(batch.awards.values_list("id", flat=True))
    batch.awards.filter(id__in=ids[:3]).update(state="issued", issued_at=now)
    batch.awards.filter(id__in=ids[3:4]).update(state="failed")
    with django_assert_num_queries(1):
        progress = awards_progress(batch, now=now)
    assert progress == {
        "total": 6,
        "by_state": {
            "proposed": 0,
            "approved": 2,
            "sending": 0,
            "issued": 3,
            "failed": 1,
            "unknown": 0,
            "reversed": 0,
        },
        "per_second": 0.1,
        "eta_seconds": 20,
    }
