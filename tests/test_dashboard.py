"""The front page, the sidebar and the history, by what a role may see."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.admin.navigation import GROUPS
from backoffice.rest.models import ApiKey
from compensation.ledger import NewEntry, record_entries
from compensation.models import Award, Batch
from compensation.summaries import summarise
from incidents import lifecycle
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory
from tests.compensation.screens import signed_in, words
from tests.compensation.stories import approved_batch, priced_batch, submitted_batch
from tests.customers.factories import CustomerFactory
from tests.incidents.factories import CohortFactory, IncidentFactory

pytestmark = pytest.mark.django_db


def front(client):
    return words(client.get("/admin/"))


def test_empty_house_says_how_to_begin():
    administrator, _person = signed_in(Role.ADMINISTRATOR)
    page = front(administrator)
    assert "There are no customers yet. Import customers …" in page
    manager, _person = signed_in(Role.INCIDENT_MANAGER)
    page = front(manager)
    assert "No incident is running. Declare one when the service fails …" in page
    assert "No batch is open." in page
    assert "Nothing has failed, and every outcome is known." in page


def test_running_incident_with_age_severity_and_affected():
    incident = IncidentFactory(
        title="Fibre down",
        severity="critical",
        started_at=timezone.now() - timedelta(hours=2),
        cohorts_resolved_at=timezone.now(),
        commander=staff(Role.INCIDENT_MANAGER, full_name="Anna Weber"),
    )
    CohortFactory(incident=incident, exposure_count=8214)
    IncidentFactory(title="Over", state="resolved", resolved_at=timezone.now())
    client, _person = signed_in(Role.INCIDENT_MANAGER)
    page = front(client)
    assert f"{incident.number} Fibre down critical investigating for 2" in page
    assert "8,214 subscriptions affected led by Anna Weber" in page
    assert "Over" not in page.replace("Overview", "")


def test_submitted_batch_needs_the_approver_not_the_submitter():
    CustomerFactory()
    batch = submitted_batch(awards=2)
    summarise(batch)
    approver, _person = signed_in(Role.FINANCE_APPROVER)
    page = front(approver)
    assert "1 batch waits for you." in page
    assert "2 awards: EUR 99.80 Needs your approval" in page
    finance, person = signed_in(Role.FINANCE, Role.FINANCE_APPROVER)
    Batch.objects.update(submitted_by=person)
    assert "0 of 1 approvals" in front(finance)


def test_issuing_progress_and_what_failed():
    batch = approved_batch(awards=4)
    summarise(batch)
    Batch.objects.filter(pk=batch.pk).update(state="issuing", issuing_started_at=timezone.now())
    first, second, *_ = batch.awards.order_by("id")
    Award.objects.filter(pk=first.pk).update(state="issued", issued_at=timezone.now())
    Award.objects.filter(pk=second.pk).update(state="failed", error_message="No such customer")
    client, _person = signed_in(Role.FINANCE)
    page = front(client)
    assert "Being issued 2 still to send" in page
    assert f"1 failed No such customer Batch {batch.number}" in page


def test_front_page_costs_the_same_for_one_and_three():
    client, _person = signed_in(Role.FINANCE, Role.FINANCE_APPROVER, Role.INCIDENT_MANAGER)
    counts = []
    for more in (1, 2):
        for _ in range(more):
            CohortFactory(incident=IncidentFactory(cohorts_resolved_at=timezone.now()))
            priced_batch()
            submitted_batch()
            AwardFactory(batch=approved_batch(), state="failed")
        with CaptureQueriesContext(connection) as captured:
            front(client)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_issued_lately_by_currency():
    client, _person = signed_in(Role.FINANCE)
    url = reverse("dashboard-issued")
    assert "Nothing was issued." in words(client.get(url))
    now = timezone.now()
    for at, amount in [(now, 4990), (now, 10), (now - timedelta(days=31), 100)]:
        award = AwardFactory(amount_minor=amount)
        record_entries(
            [
                NewEntry(
                    kind="credit",
                    customer_id=award.customer_id,
                    award_id=award.pk,
                    amount_minor=amount,
                    currency="EUR",
                    booked_at=at,
                )
            ]
        )
    trials = [AwardFactory(currency=currency) for currency in ("EUR", "USD")]
    record_entries(
        [
            NewEntry(
                kind="trial",
                customer_id=award.customer_id,
                award_id=award.pk,
                currency=award.currency,
                booked_at=now,
            )
            for award in trials
        ]
    )
    assert words(client.get(url)) == "EUR 50.00 2 awards Trial extended 2 awards"
    outsider, _person = signed_in(Role.COMMUNICATIONS)
    assert outsider.get(url).status_code == 403


def test_role_sees_only_its_own():
    submitted_batch()
    client, _person = signed_in(Role.COMMUNICATIONS)
    page = front(client)
    assert "Running incidents" in page
    for hidden in ("Batches", "Awards", "Ledger", "Users", "Issuing switch", "History"):
        assert hidden not in page


def test_every_page_of_the_sidebar_exists_and_opens():
    person = staff(is_superuser=True)
    client, _person = signed_in()
    client.force_login(person)
    for item in (item for _title, items in GROUPS for item in items):
        assert client.get(reverse(item.url_name)).status_code == 200, item.url_name


def test_badges_count_what_waits():
    IncidentFactory()
    submitted_batch()
    client, _person = signed_in(Role.FINANCE_APPROVER)
    page = front(client)
    assert "Incidents 2" in page
    assert "Batches 1" in page


def test_history_tells_who_when_and_why():
    client, _person = signed_in(Role.AUDITOR)
    incident = IncidentFactory()
    manager = staff(Role.INCIDENT_MANAGER, full_name="Anna Weber")
    lifecycle.acknowledge_incident(incident=incident, by=manager)
    page = words(client.get("/admin/history/", {"table": "incidents.incident"}))
    assert f"Incident {incident.pk} changed" in page
    assert "Anna Weber" in page
    page = words(client.get("/admin/history/", {"table": "incidents.incident", "object": "0"}))
    assert "Nothing was changed yet." in page
    outsider, _person = signed_in(Role.FINANCE)
    assert outsider.get("/admin/history/").status_code == 403


def test_history_names_api_keys_without_their_hash():
    key, _secret = ApiKey.objects.create_key(name="Host product", scopes=[])
    client, _person = signed_in(Role.AUDITOR)
    page = client.get("/admin/history/", {"table": "rest.apikey"}).content.decode()
    assert f"{key.prefix}" in page
    assert key.hashed_key not in page


def test_history_turns_pages_without_losing_a_line():
    client, _person = signed_in(Role.AUDITOR)
    for _ in range(60):
        IncidentFactory()
    first = client.get("/admin/history/", {"table": "incidents.incident"})
    second = client.get("/admin/history/", {"table": "incidents.incident", "page": "2"})
    assert [len(page.context["lines"]) for page in (first, second)] == [50, 10]
    assert words(client.get("/admin/history/", {"page": "x"}))
