"""A batch's awards from its incident's exposures."""

from decimal import Decimal

import pytest

from compensation.models import Award
from compensation.pricing import Priced, price
from tests.compensation.factories import BatchFactory, RuleFactory
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
