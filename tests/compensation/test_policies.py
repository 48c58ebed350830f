"""Drafts, what is found in them, and putting them into force."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.utils import ProgrammingError

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.models import PolicyVersion, Rule
from compensation.policies import activate_version, check_version, draft_version
from tests.accounts.factories import staff
from tests.compensation.factories import PolicyVersionFactory, RuleFactory
from tests.customers.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance():
    return staff(Role.FINANCE)


# What these drafts do not mind: they have no examples, and do not say how they round.
USUAL = {"rounding_unsaid", "no_examples"}


def found(version):
    return [str(finding) for finding in check_version(version) if finding.code not in USUAL]


def test_a_draft_copies_terms_and_rows_but_not_its_state(finance):
    version = PolicyVersionFactory(cap_percent=Decimal(50), change_note="First")
    RuleFactory(version=version, position=1, plans=["Business"])
    activate_version(version, by=finance, accepted="Agreed.")
    draft = draft_version(version.policy, by=finance)
    assert (draft.number, draft.state, draft.created_by) == (2, "draft", finance)
    assert (draft.cap_percent, draft.change_note, draft.activated_at) == (50, "", None)
    assert draft.rules.get().plans == ["Business"]
    assert version.rules.count() == 1


def test_a_version_in_force_cannot_change(finance):
    rule = RuleFactory(position=1)
    activate_version(rule.version, by=finance, accepted="Agreed.")
    with pytest.raises(ProgrammingError, match="cannot change"), transaction.atomic():
        PolicyVersion.objects.update(cap_percent=1)
    with pytest.raises(ProgrammingError, match="cannot change"), transaction.atomic():
        Rule.objects.update(credit_value=99)
    with pytest.raises(MoveError):
        activate_version(rule.version, by=finance)


def test_errors_block_activation_and_all_are_told(finance):
    version = PolicyVersionFactory(cap_amounts={"EUR": 0})
    RuleFactory(version=version, position=1, credit="fixed", credit_amounts={})
    with pytest.raises(ValidationError) as told:
        activate_version(version, by=finance)
    assert told.value.messages == [
        "EUR: 0 is no amount in minor units.",
        "Row 1: Say how much, in each currency.",
    ]
    version.refresh_from_db()
    assert version.state == "draft"


def test_only_finance_activates():
    version = RuleFactory(position=1).version
    for role in set(Role) - {Role.FINANCE}:
        with pytest.raises(PermissionDenied):
            activate_version(version, by=staff(role))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"credit": "", "credit_value": None}, "gives nothing"),
        ({"credit_value": None}, "Say how much: percent of the fee."),
        ({"credit": "fixed", "credit_amounts": {"KWD": 1005}}, "KWD: the last digit must be 0."),
        ({"credit": "fixed", "credit_amounts": {"EUR": "10"}}, "EUR: '10' is no amount"),
        ({"credit": "fixed", "credit_amounts": {"XXY": 10}}, "“XXY” is not a currency"),
        ({"uptime_to": Decimal(101)}, "Uptime is between 0 and 100 %, not 101."),
        ({"uptime_from": Decimal("99.9")}, "Nothing lies between these bounds (%)."),
        ({"minutes_from": 5, "minutes_to": 4}, "Nothing lies between these bounds (minutes)."),
        ({"tenure_months_to": 0}, "Nobody has been with us that long"),
        ({"statuses": ["activ"]}, "“activ” is no status"),
        ({"condition": "plan ="}, "Line 1, column"),
    ],
)
def test_an_error_is_found_in_its_row(row, said):
    rule = RuleFactory(position=1, **row)
    (finding,) = [one for one in check_version(rule.version) if one.code not in USUAL]
    assert finding.is_error
    assert (finding.position, said in finding.message) == (1, True), finding


def test_the_hole_of_github_is_found():
    """Its text gives 10 % below 99.9 and above 99.0, and 25 % below 99.0."""
    version = PolicyVersionFactory()
    RuleFactory(version=version, position=1, uptime_from=Decimal(99), uptime_from_inclusive=False)
    RuleFactory(version=version, position=2, uptime_to=Decimal(99), credit_value=Decimal(25))
    assert found(version) == [
        "Row 1: Nothing is due at exactly 99 % uptime. Let a row beside it count its bound."
    ]


@pytest.mark.parametrize(
    ("upper", "said"),
    [
        ({"uptime_from": Decimal(99)}, []),
        (
            {"uptime_from": Decimal("99.5")},
            [
                (
                    "Row 1: Nothing is due from 99 and below 99.5 % uptime. "
                    "It is a hole between this row and row 2: move a bound."
                )
            ],
        ),
        (
            {"uptime_from": Decimal(98)},
            [
                (
                    "Row 1: It overlaps with row 2 from 98 and below 99 % uptime: "
                    "there, the one that stands first counts."
                )
            ],
        ),
    ],
)
def test_holes_and_overlaps(upper, said):
    version = PolicyVersionFactory()
    RuleFactory(version=version, position=1, **upper)
    RuleFactory(version=version, position=2, uptime_to=Decimal(99))
    assert found(version) == said


def test_other_plans_do_not_overlap_and_unknown_ones_are_told():
    SubscriptionFactory(plan="Business")
    version = PolicyVersionFactory()
    RuleFactory(version=version, position=1, plans=["Business"])
    RuleFactory(version=version, position=2, plans=["Consumer"])
    assert found(version) == ["Row 2: Nobody has “Consumer” now."]
