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
