"""What a draft changes in what is in force."""

from datetime import date
from decimal import Decimal

import pytest

from backoffice.accounts.roles import Role
from compensation.comparison import Change, Difference, compare_versions
from compensation.models import PolicyExample
from compensation.policies import draft_version
from tests.accounts.factories import staff
from tests.compensation.factories import PolicyVersionFactory, RuleFactory, activate

pytestmark = pytest.mark.django_db


@pytest.fixture
def active():
    version = PolicyVersionFactory()
    RuleFactory(version=version, position=1, uptime_to=Decimal(95), credit_value=Decimal(50))
    RuleFactory(
        version=version, position=2, uptime_from=Decimal(95), plans=["Business"],
        credit_value=Decimal(25),
    )  # fmt: skip
    RuleFactory(version=version, position=3, uptime_from=Decimal(95), trial_days=7)
    PolicyExample.objects.create(
        version=version, position=1, fee_minor=49_900, currency="EUR", minutes=[Decimal(60)],
        starts_on=date(2026, 4, 1), expected_minor=4_990,
    )  # fmt: skip
    return activate(version)


@pytest.fixture
def draft(active):
    return draft_version(active.policy, by=staff(Role.FINANCE))


def test_a_copy_differs_in_nothing(active, draft):
    assert compare_versions(draft, active) == []


def test_terms_rows_and_examples_are_told_in_words(active, draft):
    draft.cap_percent = Decimal(50)
    draft.save()
    draft.rules.filter(position=2).update(credit_value=Decimal("12.5"), plans=["Business", "Pro"])
    draft.rules.filter(position=3).delete()
    draft.examples.update(expected_minor=None)
    assert compare_versions(draft, active) == [
        Difference("changed", "term", "At most", None, None,
                   (Change("At most", "–", "50 % of the fee"),)),
        Difference("changed", "row", "Row 2", 2, 2,
                   (Change("Plans", "Business", "Business, Pro"),
                    Change("Credit", "25 % of the monthly fee", "12.5 % of the monthly fee"))),
        Difference("removed", "row", "Row 3", None, 3,
                   (Change("Uptime", "from 95 and below 99.9 %", ""),
                    Change("Credit", "10 % of the monthly fee", ""),
                    Change("Days of service", "7", ""))),
        Difference("changed", "example", "Example 1", 1, 1,
                   (Change("Expected", "EUR 49.90", "the text does not say"),)),
    ]  # fmt: skip


def test_a_row_put_in_between_leaves_the_others_as_they_are(active, draft):
    draft.rules.filter(position=3).update(position=4)
    RuleFactory(version=draft, position=3, segments=["gold"], uptime_to=None, label="Gold")
    (added,) = compare_versions(draft, active)
    assert (added.kind, added.position, added.former_position) == ("added", 3, None)
    assert added.changes == (
        Change("Name", "", "Gold"),
        Change("Segments", "", "gold"),
        Change("Credit", "", "10 % of the monthly fee"),
    )


def test_rows_that_changed_places_are_moved(active, draft):
    for old, new in ((2, 9), (3, 2), (9, 3)):
        draft.rules.filter(position=old).update(position=new)
    (moved,) = compare_versions(draft, active)
    assert (moved.kind, moved.changes) == ("moved", ())
    assert (moved.position, moved.former_position) in {(2, 3), (3, 2)}
