"""The house stands: factories and the database agree."""

import pytest

from tests.compensation.factories import AwardFactory, RuleFactory, activate
from tests.incidents.factories import ExposureFactory, OutageFactory

pytestmark = pytest.mark.django_db


def test_factories_make_valid_rows():
    award = AwardFactory()
    assert award.state == "proposed"
    assert ExposureFactory().incident_id
    assert OutageFactory().pk
    version = RuleFactory().version
    assert activate(version).state == "active"
