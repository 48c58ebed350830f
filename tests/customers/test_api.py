"""The API's doors to customers, subscriptions, components, their use, and portal sessions."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from backoffice.customers.models import (
    Component,
    ComponentUse,
    Customer,
    PortalSession,
    Subscription,
)
from backoffice.customers.portal import redeem
from backoffice.rest.models import ApiKey, IdempotentRequest, Scope
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db

API = "/api/v1"
NEW = {"reference": "C-1", "name": "Ada", "email": "ADA@Example.com", "country": "de"}


def client_with(*scopes):
    _, secret = ApiKey.objects.create_key(name="Shop", scopes=list(scopes))
    return APIClient(headers={"Authorization": f"Api-Key {secret}"})


@pytest.fixture
def api():
    return client_with(Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE)


def errors(response, status=400):
    """The fields blamed, in order."""
    assert response.status_code == status, response.json()
    return [error["field"] for error in response.json()["errors"]]


def new_subscription(**changes):
    return {
        "reference": "S-1", "customer": "C-1", "plan": "Pro", "fee_minor": 4990,
        "currency": "eur", "started_at": "2024-01-01T00:00:00Z", **changes,
    }  # fmt: skip


# --- customers ---------------------------------------------------------------------------------


def test_customer_is_created_once_for_one_idempotency_key(api):
    answers = [
        api.post(f"{API}/customers/", NEW, headers={"Idempotency-Key": "a"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    customer = Customer.objects.get()
    assert (customer.email, customer.country, customer.currency) == ("ada@example.com", "DE", "")
    assert answers[0].json()["reference"] == "C-1"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reference": ""}, "reference"),
        ({"reference": "taken"}, "reference"),
        ({"email": "ada@"}, "email"),
        ({"country": "EU"}, "country"),
        ({"language": "fr"}, "language"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"stripe_customer_id": "cus_taken"}, "stripe_customer_id"),
        ({"stripe_customer_id": "cus 1"}, "stripe_customer_id"),
        ({"name": "a\0b"}, "name"),
    ],
)
def test_customer_error_names_its_field(api, changes, field):
    CustomerFactory(reference="taken", stripe_customer_id="cus_taken")
    assert errors(api.post(f"{API}/customers/", {**NEW, **changes})) == [field]
    assert Customer.objects.count() == 1


def test_customer_is_changed_in_part(api):
    customer = CustomerFactory(segment="gold", stripe_customer_id=None)
    url = f"{API}/customers/{customer.pk}/"
    answer = api.patch(url, {"name": "New", "stripe_customer_id": "cus_1"})
    assert (answer.status_code, answer.json()["name"]) == (200, "New")
    customer.refresh_from_db()
    assert (customer.segment, customer.stripe_customer_id) == ("gold", "cus_1")
    assert errors(api.patch(url, {"stripe_customer_id": "cus_2"})) == ["stripe_customer_id"]
    assert errors(api.patch(url, {"stripe_customer_id": ""})) == ["stripe_customer_id"]


def test_customer_reference_taken_meanwhile_is_told(api):
    first, second = CustomerFactory(), CustomerFactory()
    url = f"{API}/customers/{second.pk}/"
    assert errors(api.patch(url, {"reference": first.reference})) == ["reference"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"reference": "a"}, ["a"]),
        ({"email": "A@EXAMPLE.com"}, ["a"]),
        ({"country": "AT"}, ["b"]),
        ({"segment": "gold"}, ["b"]),
        ({"stripe_customer_id": "cus_a"}, ["a"]),
        ({}, ["b", "a"]),
        ({"updated_after": "2999-01-01T00:00:00Z"}, []),
    ],
)
def test_customers_are_found(api, query, expected):
    CustomerFactory(reference="a", email="a@example.com", stripe_customer_id="cus_a")
    CustomerFactory(reference="b", country="AT", segment="gold")
    rows = api.get(f"{API}/customers/", query).json()["results"]
    assert [row["reference"] for row in rows] == expected


# --- subscriptions -----------------------------------------------------------------------------


def test_subscription_is_created_and_gives_the_customer_its_currency(api):
    CustomerFactory(reference="C-1", currency="")
    answer = api.post(f"{API}/subscriptions/", new_subscription())
    assert answer.status_code == 201, answer.json()
    subscription = Subscription.objects.get()
    assert (subscription.currency, subscription.status) == ("EUR", "active")
    assert subscription.started_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert Customer.objects.get().currency == "EUR"
    assert (answer.json()["customer"], answer.json()["components"]) == ("C-1", [])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"customer": "C-9"}, "customer"),
        ({"fee_minor": -1}, "fee_minor"),
        ({"fee_minor": 100_000_000}, "fee_minor"),
        ({"fee_minor": 49.9}, "fee_minor"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "USD"}, "currency"),
        ({"interval_months": 2}, "interval_months"),
        ({"status": "gone"}, "status"),
        ({"status": "canceled"}, "ended_at"),
        ({"ended_at": "2023-01-01T00:00:00Z"}, "ended_at"),
        ({"period_start": "2024-01-01T00:00:00Z"}, "period_end"),
        ({"period_start": "2024-01-02T00:00:00Z", "period_end": "2024-01-02T00:00:00Z"},
         "period_end"),
        ({"started_at": None}, "started_at"),
    ],
)  # fmt: skip
def test_subscription_error_names_its_field(api, changes, field):
    CustomerFactory(reference="C-1")
    answer = api.post(f"{API}/subscriptions/", new_subscription(**changes))
    assert errors(answer) == [field]
    assert not Subscription.objects.exists()


def test_subscription_is_changed_but_stays_with_its_customer(api):
    subscription = SubscriptionFactory()
    url = f"{API}/subscriptions/{subscription.pk}/"
    answer = api.patch(url, {"plan": "Gold", "fee_minor": 1})
    assert (answer.json()["plan"], answer.json()["fee_minor"]) == ("Gold", 1)
    assert errors(api.patch(url, {"customer": CustomerFactory().reference})) == ["customer"]
    assert errors(api.patch(url, {"status": "canceled"})) == ["ended_at"]
    ended = {"status": "canceled", "ended_at": "2026-01-01T00:00:00Z"}
    assert api.patch(url, ended).status_code == 200


def test_subscriptions_are_found_by_customer_and_component(api):
    use = ComponentUseFactory(component=ComponentFactory(key="fibre"))
    ComponentUseFactory(component=ComponentFactory(key="phone"))
    mine = use.subscription
    for query in ({"customer": mine.customer.reference}, {"component": "fibre"}):
        rows = api.get(f"{API}/subscriptions/", query).json()["results"]
        assert [(row["reference"], row["components"]) for row in rows] == [
            (mine.reference, ["fibre"])
        ]


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("resource", "queries"), [("customers", 2), ("subscriptions", 4), ("component-uses", 2)]
)
def test_list_asks_a_constant_number_of_questions(
    api, django_assert_num_queries, resource, queries, rows
):
    for _ in range(rows):
        ComponentUseFactory()
    with django_assert_num_queries(queries):
        assert len(api.get(f"{API}/{resource}/").json()["results"]) == rows


# --- components and their use ------------------------------------------------------------------


def test_component_is_created_and_listed(api):
    answer = api.post(f"{API}/components/", {"key": "fibre", "name": "Fibre access"})
    assert answer.status_code == 201
    assert errors(api.post(f"{API}/components/", {"key": "fibre", "name": "x"})) == ["key"]
    assert errors(api.post(f"{API}/components/", {"key": "a b", "name": "x"})) == ["key"]
    rows = api.get(f"{API}/components/", {"key": "fibre"}).json()["results"]
    assert [row["name"] for row in rows] == ["Fibre access"]


def test_subscription_s_components_are_put(api):
    subscription = SubscriptionFactory()
    for key in ("dsl", "fibre", "phone"):
        ComponentFactory(key=key)
    url = f"{API}/subscriptions/{subscription.pk}/components/"
    assert api.put(url, {"components": ["dsl", "phone"]}).json() == {
        "added": 2, "removed": 0, "unchanged": 0,
    }  # fmt: skip
    assert api.put(url, {"components": ["fibre", "phone"]}).json() == {
        "added": 1, "removed": 1, "unchanged": 1,
    }  # fmt: skip
    answer = api.put(url, {"components": ["fibre", "mail"]})
    assert errors(answer) == ["components"]
    uses = ComponentUse.objects.values_list("component__key", flat=True)
    assert sorted(uses) == ["fibre", "phone"]


@pytest.mark.parametrize("rows", [1, 3])
def test_uses_are_recorded_in_bulk(api, rows, django_assert_num_queries):
    component = ComponentFactory(key="fibre")
    gone = ComponentUseFactory(component=component)
    uses = [
        {"subscription": SubscriptionFactory().reference, "component": "fibre"} for _ in range(rows)
    ]
    uses.append(
        {"subscription": gone.subscription.reference, "component": "fibre", "is_used": False}
    )
    with django_assert_num_queries(8):
        answer = api.post(f"{API}/component-uses/", {"uses": uses})
    assert answer.json() == {"added": rows, "removed": 1, "unchanged": 0}
    again = api.post(f"{API}/component-uses/", {"uses": uses})
    assert again.json() == {"added": 0, "removed": 0, "unchanged": rows + 1}
    assert ComponentUse.objects.count() == rows


def test_uses_with_one_wrong_row_are_all_refused(api):
    ComponentFactory(key="fibre")
    reference = SubscriptionFactory().reference
    uses = [
        {"subscription": reference, "component": "fibre"},
        {"subscription": "S-none", "component": "none"},
        {"subscription": reference, "component": "fibre", "is_used": False},
    ]
    assert errors(api.post(f"{API}/component-uses/", {"uses": uses})) == [
        "uses.1.subscription", "uses.1.component", "uses.2.is_used",
    ]  # fmt: skip
    assert not ComponentUse.objects.exists()
    assert errors(api.post(f"{API}/component-uses/", {"uses": []})) == ["uses.non_field_errors"]
    assert errors(api.post(f"{API}/component-uses/", {"uses": uses[:1] * 1001})) == [
        "uses.non_field_errors"
    ]


# --- portal sessions ---------------------------------------------------------------------------


def test_portal_session_gives_a_link_that_is_stored_nowhere(settings):
    settings.PORTAL_RETURN_HOSTS = ["app.example.com"]
    CustomerFactory(reference="C-1")
    api = client_with(Scope.PORTAL)
    body = {"customer": "C-1", "return_url": "https://app.example.com/"}
    answer = api.post(f"{API}/portal-sessions/", body, headers={"Idempotency-Key": "a"})
    assert answer.status_code == 201, answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    session = PortalSession.objects.get()
    assert (session.created_by, session.return_url) == ("Shop", "https://app.example.com/")
    assert not IdempotentRequest.objects.exists()
    assert redeem(answer.json()["url"].rstrip("/").rpartition("/")[2])


def test_portal_session_errors_name_their_field():
    CustomerFactory(reference="C-1")
    api = client_with(Scope.PORTAL)
    assert errors(api.post(f"{API}/portal-sessions/", {"customer": "C-9"})) == ["customer"]
    body = {"customer": "C-1", "return_url": "https://evil.example.com/"}
    assert errors(api.post(f"{API}/portal-sessions/", body)) == ["return_url"]


# --- doors -------------------------------------------------------------------------------------

DOORS = [
    ("get", "customers/", Scope.CUSTOMERS_READ),
    ("post", "customers/", Scope.CUSTOMERS_WRITE),
    ("get", "customers/{customer}/", Scope.CUSTOMERS_READ),
    ("put", "customers/{customer}/", Scope.CUSTOMERS_WRITE),
    ("patch", "customers/{customer}/", Scope.CUSTOMERS_WRITE),
    ("get", "subscriptions/", Scope.CUSTOMERS_READ),
    ("post", "subscriptions/", Scope.CUSTOMERS_WRITE),
    ("get", "subscriptions/{subscription}/", Scope.CUSTOMERS_READ),
    ("put", "subscriptions/{subscription}/", Scope.CUSTOMERS_WRITE),
    ("patch", "subscriptions/{subscription}/", Scope.CUSTOMERS_WRITE),
    ("put", "subscriptions/{subscription}/components/", Scope.CUSTOMERS_WRITE),
    ("get", "components/", Scope.CUSTOMERS_READ),
    ("post", "components/", Scope.CUSTOMERS_WRITE),
    ("get", "component-uses/", Scope.CUSTOMERS_READ),
    ("post", "component-uses/", Scope.CUSTOMERS_WRITE),
    ("post", "portal-sessions/", Scope.PORTAL),
]


@pytest.mark.parametrize(("method", "path", "scope"), DOORS)
def test_door_opens_with_its_scope_only(method, path, scope):
    subscription = SubscriptionFactory()
    url = f"{API}/" + path.format(customer=subscription.customer.pk, subscription=subscription.pk)
    assert getattr(APIClient(), method)(url, {}).status_code == 401
    others = client_with(*(other for other in Scope if other != scope))
    assert getattr(others, method)(url, {}).status_code == 403
    assert getattr(client_with(scope), method)(url, {}).status_code in {200, 400}


@pytest.mark.parametrize(
    ("method", "path"),
    [("delete", "customers/1/"), ("delete", "subscriptions/1/"), ("get", "portal-sessions/")],
)
def test_door_that_is_none(method, path):
    api = client_with(*Scope)
    assert getattr(api, method)(f"{API}/{path}").status_code in {403, 405}
    assert Component.objects.count() == 0
