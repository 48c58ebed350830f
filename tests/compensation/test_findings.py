"""What lint finds between rows, around the table and in examples."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from backoffice.accounts.roles import Role
from compensation.coverage import UPTIME, Cut, Range, gaps, span
from compensation.findings import check_version, findings_of
from compensation.models import PolicyExample, PolicyVersion, Rule
from compensation.policies import activate_version
from tests.accounts.factories import staff
from tests.compensation.factories import PolicyVersionFactory, RuleFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory

# What these drafts do not mind.
USUAL = {"rounding_unsaid", "no_examples"}


def found(version):
    return [(one.code, one.position, one.field) for one in check_version(version)
            if one.code not in USUAL]  # fmt: skip


def said(version):
    return [one.message for one in check_version(version) if one.code not in USUAL]


def table(*rows, **terms):
    """A version of rows without bounds but those given."""
    version = PolicyVersionFactory(**terms)
    for position, row in enumerate(rows, start=1):
        RuleFactory(version=version, position=position, **{"uptime_to": None, **row})
    return version


def minutes(low, high, **more):
    bounds = {"minutes_from": low, "minutes_to": high}
    return {name: n and Decimal(n) for name, n in bounds.items()} | more


def uptime(low, high, **more):
    bounds = {"uptime_from": low, "uptime_to": high}
    return {name: n and Decimal(n) for name, n in bounds.items()} | more


pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([minutes(None, 10), minutes(12, None)],
         ("Nothing is due from 10 and below 12 minutes of downtime. It is a hole between this row "
         "and row 2: move a bound.")),
        ([minutes(5, 10)],
         ("Nothing is due from 10 minutes of downtime. Should more out of order not give more? Add "
         "a row, or empty the bound.")),
        ([minutes(None, 10), minutes(10, None, minutes_from_inclusive=False)],
         "Nothing is due at exactly 10 minutes of downtime. Let a row beside it count its bound."),
        ([uptime(95, "99.9")],
         ("Nothing is due below 95 % uptime. Should more out of order not give more? Add a row, or "
         "empty the bound.")),
        ([uptime(99, "99.9", uptime_from_inclusive=False), uptime(None, 99)],
         "Nothing is due at exactly 99 % uptime. Let a row beside it count its bound."),
    ],
)  # fmt: skip
def test_holes_are_told_with_a_remedy(rows, message):
    version = table(*rows)
    assert said(version) == [message]
    (finding,) = [one for one in check_version(version) if one.code == "hole"]
    assert (finding.is_error, finding.position, finding.hole.range.is_empty) == (False, 1, False)


@pytest.mark.parametrize(
    "rows",
    [
        [uptime(None, "99.9")],
        [minutes(10, None)],
        [uptime(99, "99.9"), uptime(95, 99), uptime(None, 95)],
        # What a row of a plan leaves out, the row for everyone gives.
        [uptime(99, "99.9", plans=["Business"]), uptime(None, 100)],
        # Bands of each plan beside each other.
        [minutes(5, None, plans=["Business"]), minutes(10, None, plans=["Consumer"])],
    ],
)
def test_whole_tables_have_no_hole(rows):
    SubscriptionFactory(plan="Business")
    SubscriptionFactory(plan="Consumer")
    assert found(table(*rows)) == []


def test_uptime_that_is_rounded_leaves_no_hole_between_its_steps():
    rows = [uptime("99.5", "99.9"), uptime(None, "99.49", uptime_to_inclusive=True)]
    assert found(table(*rows)) == [("hole", 1, "uptime_from")]
    assert found(table(*rows, uptime_decimals=2)) == []
    assert found(table(*rows, uptime_decimals=1)) == [("too_fine_bound", 2, "uptime_to")]


def test_a_row_between_two_steps_of_uptime_is_never_reached():
    rows = [uptime("99.91", "99.99"), uptime(None, "99.91")]
    assert ("unreachable", 1, "uptime_from") in found(table(*rows, uptime_decimals=1))


@pytest.mark.parametrize(
    ("rows", "lost"),
    [
        ([uptime(None, 99), uptime(None, 95)], 2),
        ([uptime(99, 100), uptime(None, 99), uptime(95, "99.5")], 3),
        ([{}, minutes(5, None)], 2),
        ([uptime(None, 99), uptime(None, 95, plans=["Business"])], 2),
        ([minutes(None, 10), minutes(10, None), {"countries": ["DE"]}], 3),
        ([{"tenure_months_from": 6}, {"tenure_months_from": 12}], 2),
    ],
)
def test_a_row_that_earlier_ones_leave_nothing_is_told(rows, lost):
    SubscriptionFactory(plan="Business")
    assert ("unreachable", lost, "position") in found(table(*rows))
    assert "unreachable" not in {code for code, *_rest in found(table(*rows, hit_policy="all"))}


@pytest.mark.parametrize(
    "rows",
    [
        [uptime(None, 95), uptime(None, 99)],
        [uptime(None, 99, plans=["Business"]), uptime(None, 95)],
        [{"tenure_months_from": 12}, {"tenure_months_from": 6}],
        [uptime(None, 99, condition="fee_minor > 100"), uptime(None, 95)],
    ],
)
def test_a_row_that_somebody_still_gets_to_is_not(rows):
    SubscriptionFactory(plan="Business")
    assert "unreachable" not in {code for code, *_rest in found(table(*rows))}


def test_overlaps_of_downtime_are_told():
    version = table(minutes(30, None), minutes(10, 60))
    assert said(version) == [
        (
            "It overlaps with row 2 from 30 and below 60 minutes of downtime: there, the one that "
            "stands first counts."
        )
    ]
    assert found(table(minutes(30, None), minutes(10, 60), hit_policy="all")) == []


def test_values_that_nobody_has_come_with_what_may_be_meant():
    SubscriptionFactory(plan="Business", customer=CustomerFactory(segment="vip", country="DE"))
    version = table({"plans": ["busines"], "segments": ["gold"], "countries": ["DE"]},
                    {"statuses": ["activ"]})  # fmt: skip
    assert said(version) == [
        "“activ” is no status of a subscription. Did you mean “active”?",
        "Nobody has “busines” now. Did you mean “Business”?",
        "Nobody has “gold” now.",
    ]


def test_currencies_that_customers_have_are_missed():
    for currency in ("EUR", "USD", "JPY"):
        SubscriptionFactory(currency=currency, customer=CustomerFactory(currency=currency))
    SubscriptionFactory(currency="KWD", status="canceled")
    version = table(
        {"credit": "fixed", "credit_value": None, "credit_amounts": {"EUR": 500, "USD": 500}},
        cap_amounts={"EUR": 1000, "JPY": 1000}, minimum_amounts={"EUR": 1, "JPY": 1, "USD": 1},
    )  # fmt: skip
    assert said(version) == [
        "Who is billed in JPY gets nothing from this row: add an amount in JPY.",
        "Who is billed in USD is not bounded by the cap per customer: add an amount in USD.",
    ]


@pytest.mark.parametrize(
    ("row", "terms", "expected"),
    [
        ({"credit_value": Decimal(60)}, {"cap_percent": Decimal(50)},
         ("above_cap", 1, "credit_value")),
        ({"credit": "fixed", "credit_value": None, "credit_amounts": {"EUR": 600}},
         {"cap_amounts": {"EUR": 500}}, ("above_cap", 1, "credit_amounts")),
        ({"trial_days": 20}, {"cap_days": 15}, ("above_cap", 1, "trial_days")),
        ({}, {"cap_amounts": {"EUR": 500}, "minimum_amounts": {"EUR": 600}},
         ("minimum_above_cap", None, "minimum_amounts")),
        ({"credit": "step"}, {}, ("no_step", 1, "step_minutes")),
        ({"credit": "hours", "credit_value": None}, {}, ("no_value", 1, "credit_value")),
        ({"credit_value": Decimal(0)}, {}, ("zero_value", 1, "credit_value")),
        ({"minutes_to": Decimal(5)},
         {"fee_period": "outage", "shortest_minutes": Decimal(5), "is_shortest_exclusive": True},
         ("below_shortest", 1, "minutes_to")),
    ],
)  # fmt: skip
def test_terms_and_rows_that_do_not_go_together_are_told(row, terms, expected):
    assert expected in found(table(row, **terms))


def test_a_contract_that_holds_out_is_an_error():
    version = PolicyVersion(holdout_percent=Decimal(5), rounding="half_up")
    rule = Rule(position=1, credit="percent", credit_value=Decimal(5))
    assert [one.code for one in findings_of(version, [rule], []) if one.is_error] == [
        "contract_holds_out"
    ]


def example(version, expected, lengths=60):
    return PolicyExample.objects.create(
        version=version, position=version.examples.count() + 1, fee_minor=49_900, currency="EUR",
        minutes=[Decimal(lengths)], starts_on=date(2026, 4, 1), expected_minor=expected,
    )  # fmt: skip


def test_an_example_that_differs_blocks_activation():
    version = table(uptime(None, "99.9"), rounding="half_up")
    example(version, 4_990)
    example(version, 5_000)
    example(version, None)
    assert [str(one) for one in check_version(version)] == [
        (
            "Example 2: It expects EUR 50.00, but EUR 49.90 comes out from row 1. Correct the rows "
            "or the example."
        ),
        (
            "Example 3: It stands for a hole in the text, but there is none: EUR 49.90 comes out "
            "from row 1. Say what is due."
        ),
    ]
    with pytest.raises(ValidationError, match="Example 2"):
        activate_version(version, by=staff(Role.FINANCE), accepted="Whatever.")


def test_warnings_must_be_accepted_with_a_reason_which_is_kept():
    finance = staff(Role.FINANCE)
    version = table(uptime(None, "99.9"))
    example(version, 4_990)
    for reason in ("", "  "):
        with pytest.raises(ValidationError) as told:
            activate_version(version, by=finance, accepted=reason)
        assert told.value.messages == [
            "How amounts are rounded is not said: half up is used. Choose it to say so.",
            "Say why this is accepted, or change it.",
        ]
    activate_version(version, by=finance, accepted=" The text is silent. ")
    version.refresh_from_db()
    assert version.acceptance_reason == "The text is silent."
    assert [one["code"] for one in version.accepted_warnings] == ["rounding_unsaid"]


def test_nothing_to_accept_keeps_no_reason():
    version = table(uptime(None, "99.9"), rounding="half_up")
    example(version, 4_990)
    activate_version(version, by=staff(Role.FINANCE), accepted="Not needed.")
    assert (version.accepted_warnings, version.acceptance_reason) == ([], "")


def test_the_system_accepts_what_it_installs():
    version = table(uptime(None, "99.9"))
    activate_version(version, by=None)
    assert version.acceptance_reason == "installed"
    assert {one["code"] for one in version.accepted_warnings} == USUAL


values = st.integers(0, 6).map(Decimal)
cuts = st.builds(Cut, values, st.integers(0, 1))
ranges = st.lists(st.builds(Range, cuts, cuts), max_size=5)


@given(ranges)
def test_every_value_is_covered_or_in_a_gap(covered):
    whole = Range(Cut(Decimal(0), 0), Cut(Decimal(6), 1))
    missing = list(gaps(covered, whole))
    assert not any(gap.is_empty for gap in missing)
    for value in (Fraction(n, 2) for n in range(13)):
        inside = any(one.holds(value) for one in covered if not one.is_empty)
        assert inside != any(gap.holds(value) for gap in missing)


def test_bounds_are_cuts():
    rule = Rule(uptime_from=Decimal(99), uptime_from_inclusive=False, uptime_to=Decimal("99.9"))
    where = span(rule, UPTIME)
    held = [where.holds(Fraction(n)) for n in ("99", "99.1", "99.9")]
    assert held == [False, True, False]
