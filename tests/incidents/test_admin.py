"""The incident manager's screens, as a person sees them."""

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from backoffice.accounts.roles import Role
from incidents import lifecycle
from incidents.cohorts import ListFileError, read_list
from incidents.models import Cohort, CohortMember, Exposure, Incident, Outage
from tests.accounts.factories import staff
from tests.customers.factories import (
    ComponentFactory,
    ComponentUseFactory,
    CustomerFactory,
    SubscriptionFactory,
)
from tests.incidents.factories import CohortFactory, IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client):
    person = staff(Role.INCIDENT_MANAGER, full_name="Anna Weber")
    client.force_login(person)
    return person


@pytest.fixture
def incident():
    return IncidentFactory()


def url(name, *args):
    return reverse(f"admin:incidents_incident_{name}", args=args)


def text(response):
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_declaring_finds_the_affected_at_once(client, manager):
    use = ComponentUseFactory()
    data = {
        "title": "Fibre down",
        "severity": "critical",
        "started_at": "2026-10-14T14:02",
        "components": [use.component_id],
        "impact": "major",
        "region": "",
    }
    response = client.post(url("add"), data)
    incident = Incident.objects.get()
    assert response.url == url("change", incident.pk)
    assert incident.started_at == datetime(2026, 10, 14, 14, 2, tzinfo=UTC)
    assert Exposure.objects.get().subscription == use.subscription
    page = text(client.get(response.url))
    assert "1 subscription affected" in page
    assert "Nobody has taken it yet: acknowledge it." in page
    assert "Declared, critical" in page
    assert "Anna Weber" in page


def test_declaring_tells_what_is_wrong_at_the_field(client, manager):
    data = {"title": "x", "severity": "major", "impact": "major", "started_at": "2999-01-01T00:00"}
    page = text(client.post(url("add"), data))
    assert "2999-01-01 00:00 UTC is in the future" in page
    assert not Incident.objects.exists()


def test_a_page_says_how_to_begin(client, manager, incident):
    page = text(client.get(url("change", incident.pk)))
    assert "Nobody was counted yet" in page
    assert "No outage yet: nobody can be found affected." in page
    assert "No cohort yet" in page


def test_the_buttons_lead_through_the_incident(client, manager, incident):
    OutageFactory(incident=incident, ends_at=None)
    for verb, label, data in (
        ("acknowledge", "Acknowledge, take command", {"at": "2026-10-14T14:10"}),
        ("identify", "Mark as identified", {"reason": "A digger."}),
        ("mitigate", "Mark as mitigated", {"at": "2026-10-14T15:00", "ends_outages": "on"}),
        ("resolve", "Resolve", {}),
        ("reopen", "Reopen", {"reason": "It is back."}),
    ):
        page = text(client.get(url("change", incident.pk)))
        assert label in page
        response = client.post(url("move", incident.pk, verb), data, follow=True)
        incident.refresh_from_db()
        assert "A digger." in text(response) or verb == "acknowledge"
    assert incident.commander == manager
    assert incident.state == "investigating"
    assert Outage.objects.get().ends_at == datetime(2026, 10, 14, 15, 0, tzinfo=UTC)


def test_a_refused_move_says_why(client, manager):
    incident = IncidentFactory(detected_at=datetime(2026, 10, 14, 14, 5, tzinfo=UTC))
    data = {"at": "2026-10-14T14:03"}
    page = text(client.post(url("move", incident.pk, "resolve"), data, follow=True))
    assert "detected only at 2026-10-14 14:05 UTC" in page
    assert client.post(url("move", incident.pk, "explode")).status_code == 404
    assert client.get(url("move", incident.pk, "resolve")).status_code == 405


def test_outages_are_added_corrected_ended_and_removed(client, manager, incident):
    use = ComponentUseFactory()
    data = {"component": use.component_id, "impact": "partial", "starts_at": "2026-10-14T14:02"}
    client.post(url("add_outage", incident.pk), data)
    outage = Outage.objects.get()
    assert Exposure.objects.get().partial_seconds > 0
    change = url("change_outage", incident.pk, outage.pk)
    assert "Correct the outage" in text(client.get(change))
    client.post(change, {**data, "impact": "major", "reason": "It is worse."})
    client.post(url("end_outage", incident.pk, outage.pk), {"at": "2026-10-14T15:02"})
    assert Exposure.objects.get().major_seconds == 3600
    page = text(client.get(url("change", incident.pk)))
    assert "It is worse." in page
    assert "ended: 2026-10-14 14:02 → 2026-10-14 15:02" in page
    client.post(url("remove_outage", incident.pk, outage.pk), {"reason": "Wrong."})
    assert not Exposure.objects.exists()
    other = IncidentFactory()
    foreign = OutageFactory()
    assert client.post(url("end_outage", other.pk, foreign.pk)).status_code == 404


def test_share_of_requests_stands_on_the_page_and_in_the_timeline(client, manager, incident):
    use = ComponentUseFactory()
    data = {
        "component": use.component_id, "impact": "partial", "starts_at": "2026-10-14T14:02",
        "ends_at": "2026-10-14T15:02", "affected_percent": "12.5",
    }  # fmt: skip
    for wrong in ("0", "101", "-1", "1e9"):
        refused = text(
            client.post(url("add_outage", incident.pk), data | {"affected_percent": wrong})
        )
        assert "Say more than 0 and at most 100 percent" in refused or "digits" in refused
    assert not Outage.objects.exists()
    client.post(url("add_outage", incident.pk), data)
    outage = Outage.objects.get()
    change = url("change_outage", incident.pk, outage.pk)
    client.post(change, {**data, "affected_percent": "99"})
    page = text(client.get(url("change", incident.pk)))
    assert "99 % of requests" in page
    assert "partial, 12.5 % of requests, everywhere" in page
    client.post(change, {**data, "affected_percent": ""})
    assert Outage.objects.get().affected_percent is None


def test_an_outage_in_an_unknown_region_is_told_at_the_field(client, manager, incident):
    component = ComponentFactory()
    SubscriptionFactory(region="eu-central")
    data = {
        "component": component.pk,
        "impact": "major",
        "starts_at": "2026-10-14T14:02",
        "region": "eu-centrl",
    }
    page = text(client.post(url("add_outage", incident.pk), data))
    assert "Did you mean “eu-central”?" in page


def test_a_large_incident_is_not_counted_while_somebody_waits(client, manager):
    incident = IncidentFactory(cohorts_resolving_ms=9000)
    data = {
        "component": ComponentUseFactory().component_id,
        "impact": "major",
        "starts_at": "2026-10-14T14:02",
    }
    page = text(client.post(url("add_outage", incident.pk), data, follow=True))
    assert "counting them takes 9 s" in page
    assert not Exposure.objects.exists()
    client.post(url("recount", incident.pk))
    assert Exposure.objects.count() == 1


def test_cohorts_by_condition(client, manager, incident):
    SubscriptionFactory(plan="Business")
    data = {"name": "Business", "condition": 'plan = "Busines"'}
    assert "Did you mean “Business”?" in text(client.post(url("add_cohort", incident.pk), data))
    client.post(url("add_cohort", incident.pk), {**data, "condition": 'plan = "Business"'})
    cohort = incident.cohorts.get()
    assert cohort.name == "Business"
    client.post(url("remove_cohort", incident.pk, cohort.pk))
    page = text(client.get(url("change", incident.pk)))
    assert "Cohort “Business” removed" in page


def test_list_of_more_lines_than_a_page_should_read_is_refused():
    with pytest.raises(ListFileError, match="at most 200,000 lines"):
        read_list("customer\n" + "C-1\n" * 200_001)


def upload(client, incident, content, **data):
    file = SimpleUploadedFile("list.csv", content.encode())
    return client.post(url("upload_list", incident.pk), {"file": file, **data})


def test_a_list_is_shown_before_it_is_taken(client, manager, incident):
    customer, subscription = CustomerFactory(), SubscriptionFactory()
    content = (
        "customer;subscription;major_minutes\n"
        f"{customer.reference};;1,5\n"
        f";{subscription.reference};\n"
        "C-none;;10\n"
        f"{customer.reference};;soon\n"
        f";{subscription.reference};5\n"
    )
    page = text(upload(client, incident, content, name="Callers"))
    assert "2 good lines" in page
    assert "3 bad lines, which are left out" in page
    assert "Line 4: There is no customer “C-none”." in page
    assert "Line 5: “soon” is no number of minutes." in page
    assert "Line 6: Line 3 names the same one." in page
    assert not Cohort.objects.exists()
    sure = {"sure": "1", "name": "Callers", "cohort": "", "text": content}
    client.post(url("upload_list", incident.pk), sure)
    cohort = incident.cohorts.get(name="Callers")
    assert set(CohortMember.objects.values_list("customer", "subscription", "major_seconds")) == {
        (customer.pk, None, 90),
        (subscription.customer_id, subscription.pk, None),
    }
    assert Exposure.objects.get().customer == customer
    again = {**sure, "name": "", "cohort": cohort.pk, "text": content.replace("1,5", "2")}
    client.post(url("upload_list", incident.pk), again)
    assert Exposure.objects.get().major_seconds == 120


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("name\nx\n", "The first line must name the columns"),
        ("customer,colour\nx,y\n", "Unknown columns: colour."),
        ("customer\n", "0 good lines"),
    ],
)
def test_a_file_that_is_no_list_says_what_to_do(client, manager, incident, content, told):
    assert told in text(upload(client, incident, content, name="Callers"))


def test_an_incident_can_be_corrected(client, manager, incident):
    page = text(client.get(url("edit", incident.pk)))
    assert 'value="2026-10-14T14:02"' in page
    data = {
        "title": "Fibre outage Mainz",
        "severity": "critical",
        "commander": manager.pk,
        "started_at": "2026-10-14T14:00",
        "reason": "It began earlier.",
    }
    client.post(url("edit", incident.pk), data)
    incident.refresh_from_db()
    assert (incident.title, incident.commander) == ("Fibre outage Mainz", manager)
    assert incident.started_at == datetime(2026, 10, 14, 14, 0, tzinfo=UTC)
    page = text(client.get(url("change", incident.pk)))
    assert "It began earlier." in page
    assert "Commander: Anna Weber" in page


def test_a_maintenance_is_announced_and_done(client, manager):
    data = {
        "title": "New router",
        "scheduled_for": "2999-01-01T02:00",
        "scheduled_until": "2999-01-01T04:00",
    }
    response = client.post(url("announce"), data)
    incident = Incident.objects.get()
    page = text(client.get(response.url))
    assert "Announced. Start it when work begins." in page
    for verb in ("start", "verify", "complete"):
        client.post(url("move", incident.pk, verb))
    incident.refresh_from_db()
    assert incident.state == "completed"


def test_the_list_has_what_runs_first(client, manager, django_assert_num_queries):
    over = IncidentFactory(
        title="Over", state="resolved", started_at=datetime(2026, 11, 1, tzinfo=UTC),
        resolved_at=datetime(2026, 11, 2, tzinfo=UTC),
        cohorts_resolved_at=datetime(2026, 11, 2, tzinfo=UTC),
    )  # fmt: skip
    CohortFactory(incident=over, exposure_count=1204)
    IncidentFactory(title="Runs")
    queries = None
    for _ in range(2):
        with django_assert_num_queries(queries) if queries else _counted() as counted:
            page = text(client.get(url("changelist")))
        queries = queries or len(counted)
        assert page.index("Runs") < page.index("Over")
        assert "1,204" in page
        IncidentFactory.create_batch(3, title="Runs")
    assert "Over" not in text(client.get(url("changelist") + "?running=1"))


def _counted():
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    return CaptureQueriesContext(connection)


def test_a_page_takes_a_fixed_number_of_queries(client, manager, incident):
    numbers = []
    for _ in range(2):
        OutageFactory(incident=incident)
        cohort = CohortFactory(incident=incident)
        lifecycle.change_incident(incident=incident, by=manager, title=cohort.name)
        with _counted() as counted:
            client.get(url("change", incident.pk))
        numbers.append(len(counted))
    assert numbers[0] == numbers[1]


def test_who_may_only_look_sees_no_buttons(client, incident):
    client.force_login(staff(Role.SUPPORT_AGENT))
    outage, cohort = OutageFactory(incident=incident), CohortFactory(incident=incident)
    page = text(client.get(url("change", incident.pk)))
    for label in ("Acknowledge", "Resolve", "Count the affected now", "Add an outage", "Remove"):
        assert label not in page
    for name, args in (
        ("add", ()),
        ("announce", ()),
        ("edit", (incident.pk,)),
        ("recount", (incident.pk,)),
        ("move", (incident.pk, "resolve")),
        ("add_outage", (incident.pk,)),
        ("change_outage", (incident.pk, outage.pk)),
        ("end_outage", (incident.pk, outage.pk)),
        ("remove_outage", (incident.pk, outage.pk)),
        ("add_cohort", (incident.pk,)),
        ("upload_list", (incident.pk,)),
        ("remove_cohort", (incident.pk, cohort.pk)),
    ):
        assert client.post(url(name, *args)).status_code == 403, name


def test_the_numbers_can_be_loaded_alone(client, manager, incident):
    CohortFactory(incident=incident, exposure_count=7)
    Incident.objects.update(cohorts_resolved_at=datetime(2026, 10, 15, tzinfo=UTC))
    page = text(client.get(url("affected", incident.pk)))
    assert "7 subscriptions affected" in page
    assert "<html" not in page


def test_exposures_are_listed_by_cohort(client, manager, incident):
    use = ComponentUseFactory()
    OutageFactory(incident=incident, component=use.component)
    client.post(url("recount", incident.pk))
    cohort = incident.cohorts.get()
    page = text(client.get(reverse("admin:incidents_exposure_changelist") + f"?cohort={cohort.pk}"))
    assert use.subscription.customer.name in page
    assert "1 h" in page
    assert client.get(reverse("admin:incidents_exposure_add")).status_code == 403
