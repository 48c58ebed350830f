"""Conditions: what they find, and what they refuse with place and remedy."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.accounts.roles import Role
from backoffice.customers.conditions import ConditionError, parse_condition, prefix_condition
from backoffice.customers.models import ComponentUse, Subscription
from tests.accounts.factories import UserFactory, staff
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db


def found(text, **options):
    rows = Subscription.objects.filter(parse_condition(text, **options))
    return sorted(rows.values_list("reference", flat=True))


@pytest.fixture
def house():
    """pro uses fibre and phone, basic uses phone, free uses nothing."""
    fibre, phone = ComponentFactory(key="fibre"), ComponentFactory(key="phone")
    pro = SubscriptionFactory(
        reference="pro", plan="pro", customer=CustomerFactory(country="DE", segment="business"),
        fee_minor=49900, region="eu", started_at=datetime(2024, 1, 1, 12, 30, tzinfo=UTC),
    )  # fmt: skip
    basic = SubscriptionFactory(
        reference="basic", plan="basic", customer=CustomerFactory(country="AT"),
        fee_minor=999, currency="USD", trial_end=datetime(2026, 12, 1, tzinfo=UTC),
        status="trialing", started_at=datetime(2025, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    SubscriptionFactory(
        reference="free", plan="free", customer=CustomerFactory(country="DE", segment=""),
        fee_minor=0, status="past_due", interval_months=12,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    for subscription, component in ((pro, fibre), (pro, phone), (basic, phone)):
        ComponentUseFactory(subscription=subscription, component=component)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["basic", "free", "pro"]),
        ("  \n ", ["basic", "free", "pro"]),
        ('plan = "pro"', ["pro"]),
        ('plan != "pro"', ["basic", "free"]),
        ('plan in ("pro", "free")', ["free", "pro"]),
        ('plan not in ("pro", "free")', ["basic"]),
        ('plan ~ "R"', ["free", "pro"]),
        ('plan startswith "PR"', ["pro"]),
        ('status = "past_due"', ["free"]),
        ('region = ""', ["basic", "free"]),
        ('currency = "USD"', ["basic"]),
        ("fee_minor > 999", ["pro"]),
        ("fee_minor in (0, 999)", ["basic", "free"]),
        (f"fee_minor < {10**30}", ["basic", "free", "pro"]),
        ("interval_months = 12", ["free"]),
        ("trial_end = None", ["free", "pro"]),
        ("trial_end != None", ["basic"]),
        ('customer.country = "DE" and plan != "free"', ["pro"]),
        ('customer.segment = ""', ["basic", "free"]),
        ('customer.language in ("en")', ["basic", "free", "pro"]),
        ('plan = "pro" and (customer.country = "AT" or fee_minor >= 49900)', ["pro"]),
        ('plan = "pro" or plan = "free"', ["free", "pro"]),
        ('component = "phone"', ["basic", "pro"]),
        ('component_uses.component.key = "phone"', ["basic", "pro"]),
        ('component in ("phone", "fibre")', ["basic", "pro"]),
        ('component = "phone" and component = "fibre"', ["pro"]),
        ('component != "fibre"', ["basic", "free"]),
        ('component not in ("fibre", "phone")', ["free"]),
        ('component ~ "ib"', ["pro"]),
    ],
)
def test_condition_finds(house, text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('started_at = "2024-01-01"', ["pro"]),
        ('started_at != "2024-01-01"', ["basic", "free"]),
        ('started_at > "2024-01-01"', ["basic", "free"]),
        ('started_at >= "2024-01-01"', ["basic", "free", "pro"]),
        ('started_at <= "2024-01-01"', ["pro"]),
        ('started_at < "2024-01-01"', []),
        ('started_at = "2024-01-01 12:30"', ["pro"]),
        ('started_at > "2024-01-01 12:29:59"', ["basic", "free", "pro"]),
        ('started_at in ("2024-01-01", "2026-01-01")', ["free", "pro"]),
        ('trial_end in ("2026-12-01", "2027-01-01")', ["basic"]),
    ],
)
def test_condition_on_times_means_utc_whoever_reads(house, text, expected):
    with timezone.override("Pacific/Auckland"):
        assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('plan = "prooo"', 1, 8, "Did you mean “pro”?"),
        ('plan = "pro" and\nplan in ("pro", "bassic")', 2, 17, "Did you mean “basic”?"),
        ('plan = "PRO"', 1, 8, "Did you mean “pro”?"),
        ('plan != "zzzz"', 1, 9, "Known are: basic, free, pro."),
        ('customer.country = "FR"', 1, 20, "country “FR”: it is known to no customer."),
        ('customer.segment = "busines"', 1, 20, "Did you mean “business”?"),
        ('region = "eu-1"', 1, 10, "Did you mean “eu”?"),
        ('status = "past due"', 1, 10, "Did you mean “past_due”?"),
        ('component = "fiber"', 1, 13, "Did you mean “fibre”?"),
        ('currency = "EURO"', 1, 12, "Did you mean “EUR”?"),
        ('plann = "pro"', 1, 1, "Did you mean “plan”?"),
        ('country = "DE"', 1, 1, "Did you mean “customer.country”?"),
        ('customer.email = "a"', 1, 1, "There is no field “email” here."),
        ('customer.contacts.user.password = "a"', 1, 1, "There is no field “contacts” here."),
        ('stripe_subscription_id = "a"', 1, 1, "There is no field"),
        ('component_uses.subscription.plan = "pro"', 1, 1, "There is no field “subscription”"),
        ("customer = None", 1, 1, "Name one of its fields, such as customer.reference."),
        ("component_uses != None", 1, 1, "Name one of its fields"),
        ('plan.x = "pro"', 1, 1, "There is no field “x” here."),
        ('plan = "pro" and plan = "free" or fee_minor = 0', 1, 32, "mixed"),
        ("plan = 5", 1, 8, "can be compared to strings"),
        ("plan = None", 1, 8, "not nullable"),
        ('fee_minor = "5"', 1, 13, "integer"),
        ("fee_minor = 5.5", 1, 13, "integer"),
        ("fee_minor = True", 1, 13, "integer"),
        ('started_at = "soon"', 1, 14, "timestamps in"),
        ('started_at > "9999-12-31"', 1, 14, "timestamps in"),
        ('started_at ~ "2024"', 1, 1, "does not compare times"),
        ("plan =", 1, 7, "ends too early"),
        ('plan = "pro" "free"', 1, 14, "does not fit here"),
        ("plan = pro", 1, 8, "does not fit here"),
        ('plan = "pro" and\n  ;', 2, 3, "“;” has no meaning here."),
        ('plan ~ "\\u0000"', 1, 8, "no row can hold"),
        ('plan ~ "\\ud800"', 1, 8, "no row can hold"),
        ('plan = "pro" ' * 200, 1, 2001, "at most 2,000"),
        (" and ".join(["plan='pro'"] * 101), 1, 1501, "At most 100 comparisons"),
        ("(" * 500 + "plan='pro'" + ")" * 500, 1, 20, "levels of parentheses"),
        (")))", 1, 1, "does not fit here"),
    ],
)
def test_condition_refused_with_place_and_remedy(house, text, line, column, words):
    with pytest.raises(ConditionError) as caught:
        parse_condition(text)
    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert words in str(error)
    assert error.messages == [str(error)]


def test_condition_as_long_as_allowed_is_evaluated(house):
    assert found(" and ".join(["plan='pro'"] * 100)) == ["pro"]


def test_condition_stored_earlier_is_evaluated_though_nobody_fits_any_more(house):
    assert found('plan = "gone"', check_values=False) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    "plan",
                    "=",
                    '"pro"',
                    "and",
                    "or",
                    "(",
                    ")",
                    "in",
                    "not",
                    "None",
                    "5",
                    ",",
                    "\n",
                    "customer.country",
                    "started_at",
                    "!=",
                    "~",
                    '"2024-02-30"',
                    "fee_minor",
                    "-1e9",
                ]
            )
        ).map(" ".join),
    )
)
def test_condition_of_any_text_is_understood_or_refused(house, text):
    try:
        condition = parse_condition(text)
    except ConditionError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017
    else:
        Subscription.objects.filter(condition).count()


def test_condition_lifted_to_a_related_path(house):
    condition = parse_condition(
        'component = "phone" and (customer.country = "AT" or plan != "pro")'
    )
    uses = ComponentUse.objects.filter(prefix_condition(condition, "subscription__"))
    assert set(uses.values_list("subscription__reference", flat=True)) == {"basic"}
    negated = prefix_condition(~Q(plan="pro"), "subscription__")
    assert negated == ~Q(subscription__plan="pro")


@pytest.mark.parametrize("rows", [1, 3])
def test_condition_checks_values_with_one_query_each(house, rows):
    for _ in range(rows):
        SubscriptionFactory(plan="gold")
    with CaptureQueriesContext(connection) as queries:
        parse_condition('plan = "gold" and customer.country = "DE"')
    assert len(queries) == 2


def test_completion_offers_fields_and_known_values(client, house):
    client.force_login(staff(Role.INCIDENT_MANAGER))
    fields = client.get(reverse("condition-fields")).json()
    assert fields["current_model"] == "customers.subscription"
    assert sorted(fields["models"]) == [
        "customers.component", "customers.componentuse", "customers.customer",
        "customers.subscription",
    ]  # fmt: skip
    assert "email" not in fields["models"]["customers.customer"]
    answer = client.get(
        reverse("condition-values"), {"field": "customers.subscription.plan", "search": "r"}
    )
    assert answer.json()["items"] == ["free", "pro"]
    answer = client.get(reverse("condition-values"), {"field": "component", "search": ""})
    assert answer.json()["items"] == ["fibre", "phone"]


def test_completion_keeps_references_to_itself(client, house):
    client.force_login(staff(Role.INCIDENT_MANAGER))
    answer = client.get(reverse("condition-values"), {"field": "customers.customer.reference"})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["condition-fields", "condition-values"])
def test_completion_is_for_staff_only(client, name):
    assert client.get(reverse(name)).status_code == 302
    client.force_login(UserFactory())
    assert client.get(reverse(name)).status_code == 302
    client.force_login(UserFactory(is_staff=True))
    assert client.get(reverse(name)).status_code == 403
