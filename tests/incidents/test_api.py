"""The API's doors to incidents, outages, cohorts and exposures."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from backoffice.rest.models import ApiKey, Scope
from incidents.models import Cohort, CohortMember, Exposure, Incident, Outage
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)
from tests.incidents.factories import (
    CohortFactory,
    ExposureFactory,
    IncidentFactory,
    OutageFactory,
)

pytestmark = pytest.mark.django_db


def client_with(*scopes):
    key, secret = ApiKey.objects.create_key(name="Shop", scopes=list(scopes))
    client = APIClient(headers={"Authorization": f"Api-Key {secret}"})
    client.key = key
    return client


@pytest.fixture
def api():
    return client_with(Scope.INCIDENTS_READ, Scope.INCIDENTS_WRITE)


def errors(response):
    """The fields blamed, in order."""
    assert response.status_code == 400, response.json()
    return [error["field"] for error in response.json()["errors"]]


def test_an_incident_is_declared_once_for_one_idempotency_key(api):
    body = {"title": "Fibre down", "started_at": "2026-10-14T14:02:00Z"}
    answers = [
        api.post("/api/v1/incidents/", body, headers={"Idempotency-Key": "a"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    incident = Incident.objects.get()
    assert answers[0].json()["number"] == incident.number
    assert incident.started_at == datetime(2026, 10, 14, 14, 2, tzinfo=UTC)
    assert incident.events.get().pgh_context.metadata["api_key"] == "Shop"


def test_declaring_names_the_field_that_is_wrong(api):
    assert errors(api.post("/api/v1/incidents/", {})) == ["title"]
    late = {"title": "x", "started_at": "2999-01-01T00:00:00Z"}
    assert errors(api.post("/api/v1/incidents/", late)) == ["started_at"]


def test_an_incident_goes_its_way(api):
    incident = IncidentFactory()
    url = f"/api/v1/incidents/{incident.pk}/"
    assert api.post(url + "acknowledge/").status_code == 200
    assert api.post(url + "acknowledge/").status_code == 409
    assert api.post(url + "identify/", {"reason": "A digger."}).json()["state"] == "identified"
    assert api.post(url + "mitigate/", {"ends_outages": True}).json()["state"] == "monitoring"
    early = {"at": "2026-10-14T14:00:00Z"}
    assert errors(api.post(url + "resolve/", early)) == ["resolved_at"]
    assert api.post(url + "resolve/").json()["state"] == "resolved"
    assert api.post(url + "resolve/").status_code == 409


def test_incidents_are_listed_with_whom_they_hit(api, django_assert_num_queries):
    for count in (1, 3):
        while Incident.objects.count() < count:
            CohortFactory(exposure_count=4)
            CohortFactory(incident=Incident.objects.first(), exposure_count=2)
        with django_assert_num_queries(2):  # the key, the list
            found = api.get("/api/v1/incidents/").json()["results"]
        assert [one["affected_subscriptions"] for one in found] == [6] * count


def test_incidents_can_be_narrowed_down(api):
    running = IncidentFactory()
    over = IncidentFactory(state="resolved", resolved_at=datetime(2026, 10, 15, tzinfo=UTC))
    for query, wanted in (
        ("running=true", [running.pk]),
        ("running=false", [over.pk]),
        ("state=resolved", [over.pk]),
        (f"number={running.number}", [running.pk]),
        ("started_before=2026-10-14T14:02:00Z", []),
    ):
        found = api.get(f"/api/v1/incidents/?{query}").json()["results"]
        assert [one["id"] for one in found] == wanted


def test_an_outage_is_added_corrected_and_ended(api):
    incident, component = IncidentFactory(), ComponentFactory(key="fibre")
    body = {
        "incident": incident.pk,
        "component": "fibre",
        "impact": "partial",
        "starts_at": "2026-10-14T14:02:00Z",
    }
    answer = api.post("/api/v1/outages/", body)
    assert answer.status_code == 201
    outage = Outage.objects.get()
    assert (outage.component, outage.impact, outage.ends_at) == (component, "partial", None)
    url = f"/api/v1/outages/{outage.pk}/"
    assert api.patch(url, {"impact": "major"}).json()["impact"] == "major"
    assert errors(api.patch(url, {"component": "nothing"})) == ["component"]
    assert errors(api.post(url + "end/", {"at": "2026-10-14T14:02:00Z"})) == ["ends_at"]
    ended = api.post(url + "end/", {"at": "2026-10-14T15:02:00Z"}).json()
    assert ended["ends_at"] == "2026-10-14T15:02:00Z"
    assert api.post(url + "end/").status_code == 409


def test_an_unknown_region_is_told_with_the_nearest(api):
    incident = IncidentFactory()
    ComponentFactory(key="fibre")
    SubscriptionFactory(region="eu-central")
    body = {"incident": incident.pk, "component": "fibre", "region": "eu-centra"}
    answer = api.post("/api/v1/outages/", body)
    assert errors(answer) == ["region"]
    assert "Did you mean “eu-central”?" in answer.json()["detail"]


@pytest.mark.parametrize("share", ["0", "-1", "100.001", "101", "0.0001", "NaN", "many"])
def test_share_of_requests_is_above_zero_and_at_most_all(api, share):
    outage = OutageFactory()
    body = {
        "incident": outage.incident_id,
        "component": outage.component.key,
        "starts_at": "2026-10-14T14:02:00Z",
        "ends_at": "2026-10-14T15:02:00Z",
        "affected_percent": share,
    }
    for answer in (
        api.post("/api/v1/outages/", body),
        api.patch(f"/api/v1/outages/{outage.pk}/", {"affected_percent": share}),
    ):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "affected_percent"
    assert Outage.objects.count() == 1


def test_share_of_requests_is_kept_and_taken_away(api):
    outage = OutageFactory()
    body = {
        "incident": outage.incident_id,
        "component": outage.component.key,
        "starts_at": "2026-10-14T14:02:00Z",
        "ends_at": "2026-10-14T15:02:00Z",
        "affected_percent": "12.5",
    }
    made = api.post("/api/v1/outages/", body).json()
    assert made["affected_percent"] == "12.500"
    url = f"/api/v1/outages/{made['id']}/"
    assert api.patch(url, {"affected_percent": "100"}).json()["affected_percent"] == "100.000"
    assert api.patch(url, {"affected_percent": None}).json()["affected_percent"] is None


def test_outages_and_exposures_take_a_fixed_number_of_queries(api, django_assert_num_queries):
    for count in (1, 3):
        OutageFactory()
        ExposureFactory()
        if count == 3:
            OutageFactory()
            ExposureFactory()
        with django_assert_num_queries(2):
            assert len(api.get("/api/v1/outages/").json()["results"]) == count
        with django_assert_num_queries(2):
            assert len(api.get("/api/v1/exposures/").json()["results"]) == count


def test_a_cohort_is_added_with_a_checked_condition(api):
    incident = IncidentFactory()
    SubscriptionFactory(plan="Business")
    body = {"incident": incident.pk, "name": "Business", "condition": 'plan = "Business"'}
    answer = api.post("/api/v1/cohorts/", body)
    assert answer.status_code == 201
    assert answer.json()["position"] == 1
    assert errors(api.post("/api/v1/cohorts/", body)) == ["name"]
    wrong = {**body, "name": "Other", "condition": 'plan = "Busines"'}
    answer = api.post("/api/v1/cohorts/", wrong)
    assert errors(answer) == ["condition"]
    assert "Did you mean “Business”?" in answer.json()["detail"]


def test_a_list_is_pushed_and_counted(api):
    incident = IncidentFactory()
    use = ComponentUseFactory()
    OutageFactory(incident=incident, component=use.component)
    bare = CustomerFactory()
    body = {"incident": incident.pk, "name": "Callers", "source": "list"}
    cohort = api.post("/api/v1/cohorts/", body).json()["id"]
    rows = [
        {"subscription": use.subscription.reference},
        {"customer": bare.reference, "major_seconds": 90},
    ]
    url = f"/api/v1/cohorts/{cohort}/exposures/"
    assert api.post(url, {"exposures": rows}).json() == {"pushed": 2}
    rows[1]["major_seconds"] = 120
    assert api.post(url, {"exposures": rows[1:]}).json() == {"pushed": 1}
    assert CohortMember.objects.count() == 2
    found = api.post(f"/api/v1/incidents/{incident.pk}/resolve-cohorts/").json()
    assert (found["subscriptions"], found["customers"]) == (2, 2)
    assert found["cohorts"] == [{"cohort": cohort, "exposures": 2}]
    listed = api.get(f"/api/v1/exposures/?cohort={cohort}").json()["results"]
    assert {(one["subscription"], one["customer"], one["major_seconds"]) for one in listed} == {
        (use.subscription.reference, use.subscription.customer.reference, 3600),
        (None, bare.reference, 120),
    }
    query = f"/api/v1/exposures/?incident={incident.pk}&customer={bare.reference}"
    assert len(api.get(query).json()["results"]) == 1


def test_a_push_with_wrong_rows_names_each_and_does_nothing(api):
    cohort = CohortFactory(source=Cohort.Source.LIST)
    known = SubscriptionFactory()
    other = CustomerFactory()
    rows = [
        {"subscription": known.reference},
        {"customer": "C-none"},
        {"subscription": "S-none"},
        {"subscription": known.reference},
        {"subscription": known.reference, "customer": other.reference},
        {},
    ]
    url = f"/api/v1/cohorts/{cohort.pk}/exposures/"
    answer = api.post(url, {"exposures": rows})
    assert errors(answer) == [
        "exposures.1.customer",
        "exposures.2.subscription",
        "exposures.3.subscription",
        "exposures.4.subscription",
        "exposures.5.customer",
    ]
    assert not CohortMember.objects.exists()
    negative = [{"customer": other.reference, "major_seconds": -1}]
    assert errors(api.post(url, {"exposures": negative})) == ["exposures.0.major_seconds"]


def test_a_push_of_10_000_rows_takes_a_fixed_number_of_queries(api, django_assert_max_num_queries):
    cohort = CohortFactory(source=Cohort.Source.LIST)
    customers = type(CustomerFactory()).objects.bulk_create(
        CustomerFactory.build(reference=f"R-{n}", stripe_customer_id=None) for n in range(10_001)
    )
    rows = [{"customer": customer.reference, "major_seconds": 60} for customer in customers]
    url = f"/api/v1/cohorts/{cohort.pk}/exposures/"
    assert errors(api.post(url, {"exposures": rows})) == ["exposures.non_field_errors"]
    with django_assert_max_num_queries(14):
        assert api.post(url, {"exposures": rows[1:]}).json() == {"pushed": 10_000}


def test_a_push_to_a_cohort_by_condition_is_refused(api):
    cohort = CohortFactory()
    rows = [{"customer": CustomerFactory().reference}]
    answer = api.post(f"/api/v1/cohorts/{cohort.pk}/exposures/", {"exposures": rows})
    assert errors(answer) == ["cohort"]


def test_reading_needs_one_scope_and_writing_another():
    incident = ExposureFactory().incident
    reader, other = client_with(Scope.INCIDENTS_READ), client_with(Scope.CUSTOMERS_WRITE)
    for name in ("incidents", "outages", "cohorts", "exposures"):
        assert reader.get(f"/api/v1/{name}/").status_code == 200
        assert other.get(f"/api/v1/{name}/").status_code == 403
    for name in ("incidents", "outages", "cohorts"):
        assert reader.post(f"/api/v1/{name}/", {}).status_code == 403
    assert reader.post(f"/api/v1/incidents/{incident.pk}/resolve-cohorts/").status_code == 403
    assert Exposure.objects.count() == 1
