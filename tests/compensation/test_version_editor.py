"""The policy editor: every term, kind of credit and example, and what it says of them."""

import re
from datetime import date
from decimal import Decimal

import pytest

from backoffice.accounts.roles import Role
from compensation.models import PolicyExample, PolicyVersion, Rule
from tests.compensation.editing import posted, url
from tests.compensation.factories import PolicyVersionFactory, RuleFactory
from tests.compensation.screens import signed_in, words
from tests.customers.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db

GOOD = {"uptime_to": "99.9", "credit": "percent", "credit_value": "10"}


@pytest.fixture
def finance():
    return signed_in(Role.FINANCE)[0]


@pytest.fixture
def draft():
    return PolicyVersionFactory(policy__name="Standard SLA")


def save(client, draft, *rows, **more):
    return client.post(url("policyversion_change", draft), posted(*rows, **more), follow=True)


def test_every_term_is_kept_and_read_in_words(finance, draft):
    terms = {
        "fee_period": "year", "fee_base": "month", "basis": "period", "hit_policy": "all",
        "shortest_minutes": "5", "is_shortest_exclusive": "on", "interval_minutes": "30",
        "interval_rounding": "started", "uptime_decimals": "2", "uptime_rounding": "down",
        "affected_share": "requests", "partial_weight": "0.5", "counts_maintenance": "on",
        "cap_percent": "50", "cap_amounts": "EUR 500.00", "cap_days": "30",
        "minimum_amounts": "EUR 1.00", "is_minimum_exclusive": "on", "rounding": "down",
        "is_voluntary": "on", "holdout_percent": "10", "claim_days": "60",
        "claim_window": "By the end of the next month", "change_note": "Anew",
    }  # fmt: skip
    save(finance, draft, GOOD, **terms)
    kept = PolicyVersion.objects.values(*terms).get()
    assert kept == {
        "fee_period": "year", "fee_base": "month", "basis": "period", "hit_policy": "all",
        "shortest_minutes": Decimal(5), "is_shortest_exclusive": True,
        "interval_minutes": Decimal(30), "interval_rounding": "started", "uptime_decimals": 2,
        "uptime_rounding": "down", "affected_share": "requests", "partial_weight": Decimal("0.5"),
        "counts_maintenance": True, "cap_percent": Decimal(50), "cap_amounts": {"EUR": 50000},
        "cap_days": 30, "minimum_amounts": {"EUR": 100}, "is_minimum_exclusive": True,
        "rounding": "down", "is_voluntary": True, "holdout_percent": Decimal(10),
        "claim_days": 60, "claim_window": "By the end of the next month", "change_note": "Anew",
    }  # fmt: skip
    text = words(signed_in(Role.AUDITOR)[0].get(url("policyversion_change", draft)))
    for said in (
        "Outages that count longer than 5 minutes",
        "Downtime in whole 30 minutes, counted when it is started",
        "Uptime rounded to 2 decimals, down",
        "Credits are counted from one month's fee",
        "At most, days of service 30",
        "Held out 10 % of customers",
        "Can be claimed for 60 days",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"credit": "time_multiple", "credit_value": "3"}, "3 x the fee for the time lost"),
        (
            {"credit": "step", "credit_value": "5", "step_minutes": "30", "step_counts": "started",
             "allowance_minutes": "15"},
            "5 % of the monthly fee for each started 30 minutes beyond 15 minutes",
        ),
        (
            {"credit": "step", "credit_value": "5", "step_minutes": "60",
             "allowance_uptime": "99.9"},
            "5 % of the monthly fee for each completed 60 minutes beyond what 99.9 % uptime allows",
        ),
        (
            {"credit": "hours", "credit_value": "24", "fee_hours": "730"},
            "24 hours of the monthly fee, a month being 730 hours",
        ),
        ({"trial_days": "15"}, "15 more days of service, at most 30 days"),
    ],
)  # fmt: skip
def test_each_kind_of_credit_in_words(finance, draft, row, said):
    text = words(save(finance, draft, row, cap_days="30"))
    assert said in text


def test_what_belongs_to_another_kind_of_credit_does_not_count(finance, draft):
    left = {"credit_amounts": "EUR ten", "step_minutes": "x", "fee_hours": "730",
            "allowance_uptime": "99", "allowance_minutes": "5"}  # fmt: skip
    save(finance, draft, GOOD | left)
    rule = draft.rules.get()
    assert (rule.credit_amounts, rule.step_minutes, rule.fee_hours) == ({}, None, None)
    assert (rule.allowance_uptime, rule.allowance_minutes) == (None, None)


def test_a_contract_holds_nobody_out(finance, draft):
    text = words(save(finance, draft, GOOD, holdout_percent="5"))
    assert "Held out, % of customers: A contract is owed to all: hold nobody out of it" in text
    assert draft.rules.count() == 0


def test_examples_are_typed_as_people_write_them(finance, draft):
    examples = [
        {"label": "boundary", "fee": "USD 1,499.50", "minutes": "30 + 45.5", "expected": "149.95"},
        {"fee": "800 JPY", "expected": "JPY 80", "starts_on": "2026-02-14", "country": "de"},
        {"expected": "15 days", "plan": "Business", "share_percent": "25", "impact": "partial"},
        {"expected": "", "period_minutes": "43200", "tenure_months": "7"},
    ]
    text = words(save(finance, draft, GOOD, examples=examples))
    assert "Saved, with 1 row and 4 examples." in text
    first, second, third, fourth = PolicyExample.objects.all()
    assert (first.label, first.fee_minor, first.currency) == ("boundary", 149950, "USD")
    assert (first.minutes, first.expected_minor) == ([Decimal(30), Decimal("45.5")], 14995)
    assert first.starts_on == date(2026, 9, 1)
    assert (second.fee_minor, second.expected_minor, second.country) == (800, 80, "DE")
    assert second.starts_on == date(2026, 2, 14)
    assert (third.expected_days, third.expected_minor, third.plan) == (15, None, "Business")
    assert (third.share_percent, third.impact) == (Decimal(25), "partial")
    assert (fourth.expected_days, fourth.expected_minor) == (None, None)
    assert (fourth.period_minutes, fourth.tenure_months) == (43200, 7)
    html = finance.get(url("policyversion_change", draft)).content.decode()
    for typed in ("USD 1499.50", "30 + 45.5", "149.95", "2026-02-14", "15 days"):
        assert f'value="{typed}"' in html


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ({"fee": "499"}, "Example 2, monthly fee: “499” is no amount: write EUR 499.00."),
        ({"fee": "XYZ 1"}, "Example 2, monthly fee: “XYZ” is not a currency"),
        ({"minutes": "30 and 45"}, "Example 2, minutes out: “30 and 45” is no number of minutes"),
        ({"minutes": "-1"}, "Example 2, minutes out: “-1” is no number of minutes"),
        ({"minutes": ""}, "Example 2, minutes out: This field is required."),
        ({"starts_on": "October"}, "Example 2, month: “October” is no month: write 2026-10"),
        ({"starts_on": "2026-13"}, "Example 2, month: “2026-13” is no month"),
        ({"expected": "a lot"}, "Example 2, expected: “a lot” is no result: write 49.90, or 15"),
        ({"expected": "USD 5"}, "Example 2, expected: The fee is in EUR: so is the credit."),
        ({"expected": "1.005"}, "Example 2, expected: EUR has no such small fractions"),
    ],
)
def test_an_error_in_an_example_names_it_and_nothing_is_saved(finance, draft, example, said):
    text = words(save(finance, draft, GOOD, examples=[{}, example]))
    assert said in text
    assert not PolicyExample.objects.exists()
    assert not Rule.objects.exists()


def test_an_example_that_differs_is_saved_told_and_blocks(finance, draft):
    answer = save(finance, draft, GOOD, examples=[{}, {"expected": "50"}])
    text = words(answer)
    assert "error Example 2: It expects EUR 50.00, but EUR 49.90 comes out from row 1." in text
    assert "1 of 2 differ" in text
    assert "Differs: EUR 49.90 instead of EUR 50.00 row 1; 99.861111 % uptime, 60 of" in text
    refused = finance.post(url("policyversion_activate", draft), {"accepted": "Yes."}, follow=True)
    assert "Example 2: It expects EUR 50.00" in words(refused)
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_preview_runs_the_examples_as_typed_and_saves_nothing(finance, draft):
    data = posted(GOOD | {"credit_value": "20"}, examples=[{"expected": "99.80"}, {}])
    text = words(finance.post(url("policyversion_preview", draft), data))
    assert "As expected: EUR 99.80" in text
    assert "Differs: EUR 99.80 instead of EUR 49.90" in text
    assert not Rule.objects.exists()
    assert not PolicyExample.objects.exists()


def test_a_broken_condition_is_told_with_its_place(finance, draft):
    SubscriptionFactory(plan="Business")
    condition = 'plan = "Business"\nand fee_minor >> 5'
    html = save(finance, draft, GOOD | {"condition": condition}).content.decode()
    assert "Row 1, further condition: Line 2, column" in html
    shown = re.search(r'<pre class="pv-trouble">(.*)\n( *)\^</pre>', html)
    assert shown
    assert shown[1].replace("&gt;", ">")[len(shown[2])] == ">"


def test_findings_stand_beside_their_row_and_lead_to_it(finance, draft):
    SubscriptionFactory(plan="Business")
    RuleFactory(version=draft, position=1, uptime_to=Decimal(99), plans=["Busines"])
    html = finance.get(url("policyversion_change", draft)).content.decode()
    assert 'href="#row-1" data-leads="plans"' in html
    row = html[html.index('id="row-1"') :]
    beside = row[: row.index("pv-bounds")]
    assert "Did you mean “Business”?" in beside


def test_warnings_are_accepted_with_a_reason_that_stays_with_the_version(finance, draft):
    RuleFactory(version=draft, position=1, plans=["Gone"])
    page = words(finance.get(url("policyversion_change", draft) + "?activate"))
    assert "Why is that accepted?" in page
    refused = finance.post(url("policyversion_activate", draft), {"accepted": " "}, follow=True)
    assert "Say why this is accepted" in words(refused)
    reason = "The plan is sold from December on."
    finance.post(url("policyversion_activate", draft), {"accepted": reason})
    text = words(finance.get(url("policyversion_change", draft)))
    assert "Accepted when it was put into force" in text
    assert "warning Row 1: Nobody has “Gone” now." in text
    assert f"Why: {reason}" in text
    assert finance.session["_auth_user_id"]
    person = draft.events.filter(state="active").get().pgh_context.metadata["user"]
    assert str(person) == finance.session["_auth_user_id"]


def test_a_hundred_rows_and_examples_are_saved(finance, draft):
    rows = [GOOD | {"label": f"Row {n}"} for n in range(100)]
    text = words(save(finance, draft, *rows, examples=[{}] * 100))
    assert "Saved, with 100 rows and 100 examples." in text


def test_too_many_rows_are_refused_in_words(finance, draft):
    answer = save(finance, draft, *[{"label": "x"}] * 201, examples=[{"label": "x"}] * 201)
    text = words(answer)
    assert "A policy has at most 200 rows" in text
    assert "A policy has at most 200 examples" in text
    assert draft.rules.count() == 0


@pytest.mark.parametrize("count", [1, 3])
def test_editor_needs_as_many_queries_for_one_as_for_three(
    finance, draft, django_assert_num_queries, count
):
    rows = [GOOD | {"uptime_to": str(99 - n)} for n in range(count)]
    save(finance, draft, *rows, examples=[{}] * count)
    with django_assert_num_queries(49):
        finance.get(url("policyversion_change", draft))


@pytest.mark.parametrize(
    ("row", "example", "terms", "said"),
    [
        ({"tenure_months_from": "2147483647"}, {}, {}, "less than or equal to 1200"),
        ({"trial_days": "2147483647"}, {}, {}, "less than or equal to 3650"),
        ({}, {"starts_on": "0001-01"}, {}, "“0001-01” is no month"),
        ({}, {"starts_on": "9999-12"}, {}, "“9999-12” is no month"),
        ({}, {"tenure_months": "2147483647"}, {}, "less than or equal to 1200"),
        ({}, {"expected": "999999999999999999"}, {}, "is more than can be counted"),
        ({}, {"fee": "EUR 99999999999999999999"}, {}, "is more than can be counted"),
        ({}, {}, {"claim_days": "2147483647"}, "less than or equal to 3650"),
        ({}, {}, {"cap_amounts": "EUR 99999999999999999"}, "is more than can be counted"),
    ],
)  # fmt: skip
def test_figures_that_nobody_means_are_refused(finance, draft, row, example, terms, said):
    text = words(save(finance, draft, GOOD | row, examples=[example], **terms))
    assert said in text
    assert not draft.rules.exists()


def test_a_draft_that_cannot_be_priced_still_opens(finance, draft):
    RuleFactory(version=draft)
    PolicyExample.objects.create(
        version=draft, position=1, minutes=[Decimal(60)], currency="EUR", fee_minor=1,
        starts_on=date(9999, 12, 1), expected_minor=0,
    )  # fmt: skip
    text = words(finance.get(url("policyversion_change", draft)))
    assert "comes to more than can be counted" in text
