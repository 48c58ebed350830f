"""The policy editor: finance writes a table, sees what is wrong, and puts it into force."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from backoffice.accounts.roles import Role
from compensation.models import Policy, PolicyVersion, Rule
from compensation.policies import activate_version, install_ready_made
from tests.compensation.editing import posted, url
from tests.compensation.factories import PolicyVersionFactory, RuleFactory
from tests.compensation.screens import signed_in, words
from tests.customers.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance():
    return signed_in(Role.FINANCE)[0]


@pytest.fixture
def draft():
    return PolicyVersionFactory(policy__name="Standard SLA")


def test_a_table_is_written_in_major_units_and_read_in_words(finance, draft):
    SubscriptionFactory()
    answer = finance.post(
        url("policyversion_change", draft),
        posted(
            {"plans": "Business", "uptime_to": "99.9", "credit": "percent", "credit_value": "10"},
            {"credit": "fixed", "credit_amounts": "EUR 5, JPY 800", "trial_days": "7"},
            {},
            cap_amounts="EUR 1,500.50",
        ),
        follow=True,
    )
    text = words(answer)
    assert "Saved, with 2 rows." in text
    assert "10 % of the monthly fee, at most EUR 1,500.50 a customer" in text
    assert "EUR 5.00 or JPY 800, at most EUR 1,500.50 a customer; 7 more days of service" in text
    first, second = draft.rules.all()
    assert (first.plans, first.uptime_to, first.uptime_to_inclusive) == (
        ["Business"], Decimal("99.9"), False,
    )  # fmt: skip
    assert second.credit_amounts == {"EUR": 500, "JPY": 800}
    draft.refresh_from_db()
    assert draft.cap_amounts == {"EUR": 150050}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"uptime_to": "101"}, "Row 2, uptime to: Ensure this value is less than or equal to 100."),
        ({"uptime_to": "99,9"}, "Row 2, uptime to: Enter a number."),
        (
            {"uptime_from": "99", "uptime_to": "95"},
            "Row 2: Uptime from must not be above uptime to",
        ),
        ({"credit": "fixed", "credit_amounts": "EUR ten"}, "“EUR ten” is no amount: write EUR 10"),
        ({"credit": "fixed", "credit_amounts": "EUR 1.005"}, "EUR has no such small fractions"),
        ({"credit": "fixed", "credit_amounts": "XYZ 1"}, "“XYZ” is not a currency"),
        ({"statuses": "activ"}, "“activ” is no status: choose of trialing, active"),
        ({"condition": 'plan = "'}, "Row 2, further condition: Line 1, column"),
    ],
)
def test_an_error_names_row_and_field_and_nothing_is_saved(finance, draft, row, said):
    good = {"credit": "percent", "credit_value": "10"}
    data = posted(good, good | row)
    text = words(finance.post(url("policyversion_change", draft), data))
    assert said in text
    assert "Not saved: mend what is marked below" in text
    assert "Nothing is wrong" not in text
    assert draft.rules.count() == 0


def test_rows_are_moved_and_removed(finance, draft):
    rules = [RuleFactory(version=draft, position=n, label=f"Row {n}") for n in (1, 2, 3)]
    row = {"uptime_to": "99.9", "credit": "percent", "credit_value": "10"}
    data = posted(
        row | {"id": rules[0].pk, "order": 3, "label": "last"},
        row | {"id": rules[1].pk, "order": 2, "label": "gone", "DELETE": "on"},
        row | {"id": rules[2].pk, "order": 1, "label": "first"},
        initial=3,
    )
    finance.post(url("policyversion_change", draft), data)
    assert list(draft.rules.values_list("position", "label")) == [(1, "first"), (2, "last")]


def test_what_looks_wrong_is_told_and_errors_block(finance, draft):
    RuleFactory(version=draft, position=1, plans=["Busines"], uptime_to=Decimal(99))
    RuleFactory(
        version=draft, position=2, plans=["Busines"],
        uptime_from=Decimal(99), uptime_from_inclusive=False,
    )  # fmt: skip
    text = words(finance.get(url("policyversion_change", draft)))
    assert "warning Row 1: Nobody has “Busines” now." in text
    assert "warning Row 2: Nothing is due at exactly 99 % uptime." in text
    assert "5 things look odd" in text
    RuleFactory(version=draft, position=3, credit="", credit_value=None)
    answer = finance.post(url("policyversion_activate", draft), follow=True)
    assert "Row 3: This row gives nothing" in words(answer)
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_activate_replaces_the_former_and_is_read_only(finance, draft):
    RuleFactory(version=draft, position=1)
    finance.post(url("policyversion_activate", draft), {"accepted": "No examples yet."})
    copy = finance.post(url("policy_draft", draft.policy), follow=True)
    second = PolicyVersion.objects.get(number=2)
    assert "Save and activate (replaces v1)" in words(copy)
    assert second.rules.get().credit_value == Decimal(10)
    saved = finance.post(
        url("policyversion_change", second),
        posted(
            {"id": second.rules.get().pk, "credit": "percent", "credit_value": "12.5"}, initial=1
        )
        | {"then": "activate"},
        follow=True,
    )
    assert "Activate, replace v1" in words(saved)
    text = words(
        finance.post(url("policyversion_activate", second), {"accepted": "As before."}, follow=True)
    )
    assert "Standard SLA v2 is in force now." in text
    assert "In force: its terms cannot change." in text
    assert "anyone hit 12.5 % of the monthly fee" in text
    states = list(PolicyVersion.objects.order_by("number").values_list("state", flat=True))
    assert states == ["retired", "active"]
    answer = finance.post(url("policyversion_change", second), posted(initial=0))
    assert answer.status_code == 403


def test_a_new_policy_begins_with_a_draft(finance):
    added = finance.post(
        reverse("admin:compensation_policy_add"),
        {"name": "Gold", "key": "gold", "description": "", "source": ""},
        follow=True,
    )
    assert "Gold v1" in words(added)
    assert PolicyVersion.objects.get().created_by is not None


def test_default_moves(finance):
    s3, standard = (install_ready_made(key).policy for key in ("aws-s3-standard", "standard-sla"))
    finance.post(url("policy_default", s3))
    finance.post(url("policy_default", standard))
    assert list(Policy.objects.filter(is_default=True)) == [standard]
    assert "The default" in words(finance.get(url("policy_change", standard)))


def test_preview_puts_rows_into_words_and_saves_nothing(finance, draft):
    data = posted({"credit": "time_multiple", "credit_value": "3"}, cap_percent="50")
    answer = finance.post(url("policyversion_preview", draft), data)
    assert "3 x the fee for the time lost, at most 50 % of the fee" in words(answer)
    assert not Rule.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_list_needs_as_many_queries_for_one_as_for_three(finance, django_assert_num_queries, count):
    for _n in range(count):
        RuleFactory(version=PolicyVersionFactory(), position=1)
    finance.get(reverse("admin:compensation_policy_changelist"))
    with django_assert_num_queries(12):
        finance.get(reverse("admin:compensation_policy_changelist"))


@pytest.mark.parametrize(
    "role", [Role.AUDITOR, Role.SUPPORT_AGENT, Role.FINANCE_APPROVER, Role.INCIDENT_MANAGER]
)
def test_who_may_only_look(draft, role):
    RuleFactory(version=draft, position=1)
    client = signed_in(role)[0]
    text = words(client.get(url("policyversion_change", draft)))
    assert "below 99.9 % uptime 10 % of the monthly fee" in text
    assert "Save" not in text
    for name in ("policyversion_change", "policyversion_activate", "policyversion_preview"):
        assert client.post(url(name, draft), posted()).status_code == 403
    for name in ("policy_draft", "policy_default"):
        assert client.post(url(name, draft.policy)).status_code == 403


def test_communications_see_no_policies(draft):
    client = signed_in(Role.COMMUNICATIONS)[0]
    assert client.get(url("policyversion_change", draft)).status_code == 403


def test_activation_needs_its_permission(draft):
    RuleFactory(version=draft, position=1)
    person = signed_in(Role.FINANCE_APPROVER)[1]
    with pytest.raises(PermissionDenied):
        activate_version(draft, by=person)
