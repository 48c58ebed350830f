"""The batch's page as finance, approvers and others see it, and what its buttons do."""

from datetime import UTC, datetime

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from compensation.models import Approval, ApprovalThreshold, Award, Batch, IssuingControl
from incidents.models import Incident
from tests.compensation.factories import (
    AwardFactory,
    BatchFactory,
    PolicyVersionFactory,
    RuleFactory,
    activate,
)
from tests.compensation.screens import batch_url, page_of, press, signed_in, words
from tests.compensation.stories import approved_batch, priced_batch, submitted_batch
from tests.incidents.factories import ExposureFactory, IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance():
    return signed_in(Role.FINANCE, full_name="Claudia Roth")


@pytest.fixture
def approver():
    return signed_in(Role.FINANCE_APPROVER, full_name="Andreas Weber")


def test_draft_says_to_price_it(finance):
    batch = BatchFactory(version=activate(PolicyVersionFactory()))
    page = page_of(finance[0], batch)
    assert "Price it: then you see what it would cost." in page
    assert "Price it now" in page


def test_priced_batch_is_submitted_with_its_figures_on_the_button(finance):
    client, person = finance
    batch = priced_batch(awards=3)
    assert "Submit 3 awards, EUR 149.70 for approval?" in page_of(client, batch)
    page = press(client, "submit", batch)
    assert "Submitted. Somebody else must approve it now." in page
    batch.refresh_from_db()
    assert (batch.state, batch.submitted_by) == ("submitted", person)


def test_submitter_is_told_why_they_cannot_approve():
    client, _person = signed_in(Role.FINANCE, Role.FINANCE_APPROVER)
    batch = priced_batch()
    press(client, "submit", batch)
    page = page_of(client, batch)
    assert "You submitted this batch: somebody else must approve it." in page
    assert "Approve 1 award, EUR 49.90?" not in page
    press(client, "approve", batch, digest=Batch.objects.get(pk=batch.pk).digest)
    assert not Approval.objects.exists()


def test_approver_signs_the_digest_seen(approver):
    client, _person = approver
    batch = submitted_batch(awards=2)
    response = client.get(batch_url("change", batch))
    assert f'name="digest" value="{batch.digest}"' in response.content.decode()
    assert "Approve 2 awards, EUR 99.80?" in words(response)
    page = press(client, "approve", batch, digest=batch.digest, comment="Looks right")
    assert f"You have approved batch {batch.number}." in page
    assert "1 of 1 approval: Andreas Weber" in page
    batch.refresh_from_db()
    assert batch.state == "approved"


def test_approving_another_digest_is_refused_in_words(approver):
    batch = submitted_batch()
    page = press(approver[0], "approve", batch, digest="0" * 64)
    assert "The awards have changed since you looked: reload and look again." in page
    batch.refresh_from_db()
    assert batch.state == "submitted"


def test_second_of_two_approvals(approver):
    ApprovalThreshold.objects.create(currency="EUR", amount_minor=100)
    batch = submitted_batch()
    assert "One more person must approve after you" in page_of(approver[0], batch)
    page = press(approver[0], "approve", batch, digest=batch.digest)
    assert "1 of 2 approvals: Andreas Weber" in page
    assert "You have approved. It waits for a second person." in page
    other, _person = signed_in(Role.FINANCE_APPROVER)
    assert "Issuing starts at once." in page_of(other, batch)


def test_approval_needs_a_session_opened_with_the_second_factor(approver, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    batch = submitted_batch()
    page = page_of(approver[0], batch)
    assert "Approving money takes a second factor, and you have none yet. Set one up" in page
    press(approver[0], "approve", batch, digest=batch.digest)
    batch.refresh_from_db()
    assert batch.state == "submitted"


def test_session_opened_with_the_second_factor_approves(approver, settings):
    client, person = approver
    settings.SECOND_FACTOR_REQUIRED = True
    TOTP.activate(person, "A" * 32)
    batch = submitted_batch()
    page = page_of(client, batch)
    assert "This session was opened without your second factor. Confirm it now" in page
    press(client, "approve", batch, digest=batch.digest)
    assert not Approval.objects.exists()
    request = RequestFactory().get("/")
    request.session = client.session
    record_authentication(request, person, "mfa")
    request.session.save()
    assert "Approve 1 award, EUR 49.90?" in page_of(client, batch)
    press(client, "approve", batch, digest=batch.digest)
    assert Approval.objects.get().user == person


def test_rejecting_takes_a_reason(approver):
    batch = submitted_batch()
    assert "Say why the batch is rejected." in press(approver[0], "reject", batch, reason=" ")
    assert "Rejected." in press(approver[0], "reject", batch, reason="Wrong month")
    batch.refresh_from_db()
    assert batch.state == "rejected"


def test_award_is_left_out_and_taken_back_in(finance):
    client, _person = finance
    batch = priced_batch(awards=2)
    award = batch.awards.first()
    rows = words(client.get(batch_url("awards", batch) + "?which=largest"))
    assert rows.count("Leave out …") == 2
    url = reverse("admin:compensation_award_exclude", args=[award.pk])
    page = words(client.post(url, {"reason": "Pays by barter"}, follow=True))
    assert f"{award.customer} is left out." in page
    assert "Left out 1 1 left out by a person" in page
    rows = words(client.get(batch_url("awards", batch) + "?which=left_out&exclusion=by_hand"))
    assert "left out by a person: Pays by barter (Claudia Roth)" in rows
    url = reverse("admin:compensation_award_include", args=[award.pk])
    page = words(client.post(url, follow=True))
    assert "Nobody is left out." in page


def test_page_says_what_changed_since_the_last_look(finance):
    client, _person = finance
    batch = priced_batch(awards=2)
    assert "Changed since your last look" not in page_of(client, batch)
    assert "Changed since your last look" not in page_of(client, batch)
    url = reverse("admin:compensation_award_exclude", args=[batch.awards.first().pk])
    other, _person = signed_in(Role.FINANCE)
    other.post(url, {"reason": "No"})
    page = page_of(client, batch)
    assert "Awards 2 → 1 ; Amount EUR 99.80 → EUR 49.90 ; Left out 0 → 1" in page


def test_figures_by_rule_plan_country_and_their_distribution(finance):
    version = PolicyVersionFactory()
    RuleFactory(version=version, position=1, label="Below 99.9 %: 10 %")
    batch = priced_batch(awards=0, version=activate(version))
    for amount, plan, country in [(100, "Basic", "DE"), (300, "Pro", "AT"), (900, "Pro", "AT")]:
        AwardFactory(batch=batch, amount_minor=amount, plan=plan, country=country, rules=[1])
    page = page_of(finance[0], batch)
    assert "Below 99.9 %: 10 % below 99.9 % uptime → 10 % of the monthly fee 3 EUR 13.00" in page
    assert "Pro 2 EUR 12.00 Basic 1 EUR 1.00" in page
    assert "AT 2 EUR 12.00 DE 1 EUR 1.00" in page
    assert "least EUR 1.00, median EUR 3.00, largest EUR 9.00" in page


def test_explanation_is_read_on_click(finance):
    rule = RuleFactory(position=1)
    award = AwardFactory(
        batch=BatchFactory(version=rule.version),
        rules=[1],
        fee_minor=49900,
        interval_months=1,
        major_seconds=3600,
        raw_amount=4990,
        period_start=datetime(2026, 11, 1, tzinfo=UTC),
        period_end=datetime(2026, 12, 1, tzinfo=UTC),
    )
    response = finance[0].get(reverse("admin:compensation_award_explanation", args=[award.pk]))
    assert words(response) == (
        "60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: 10 % of EUR 499.00 = EUR 49.90"
    )


def test_issuing_shows_progress_and_its_reasons(finance):
    client, _person = finance
    batch = approved_batch(awards=4)
    Batch.objects.filter(pk=batch.pk).update(state="issuing", issuing_started_at=timezone.now())
    issued, failed, *_ = batch.awards.order_by("id")
    Award.objects.filter(pk=issued.pk).update(state="issued", issued_at=timezone.now())
    Award.objects.filter(pk=failed.pk).update(
        state="failed", error_code="resource_missing", error_message="No such customer"
    )
    batch.refresh_from_db()
    url = batch_url("progress", batch)
    fragment = words(client.get(url + "?state=issuing"))
    assert "1 of 4 issued" in fragment
    assert "Waiting 2 Failed 1 Unknown 0" in fragment
    assert "1 No such customer (resource_missing)" in fragment
    assert client.get(url + "?state=approved").headers["HX-Refresh"] == "true"
    page = page_of(client, batch)
    assert "Pause issuing this batch?" in page
    assert "Retry 1 failed award?" in page


def test_stopped_issuing_is_not_called_being_issued(finance):
    client, _person = finance
    batch = approved_batch(awards=2)
    Batch.objects.filter(pk=batch.pk).update(state="issuing", issuing_started_at=timezone.now())
    batch.refresh_from_db()
    IssuingControl.objects.update_or_create(pk=1, defaults={"is_stopped": True})
    page = page_of(client, batch)
    assert "All issuing is stopped: this batch waits until it is resumed." in page
    assert "Being issued." not in page
    url = batch_url("progress", batch) + "?state=issuing"
    assert "0 of 2 issued stopped" in words(client.get(url + "&stopped"))
    assert client.get(url).headers["HX-Refresh"] == "true"
    press(client, "pause", batch, reason="Lunch")
    assert "It waits for the switch" in press(client, "resume", batch)


def test_pausing_and_resuming(finance):
    client, _person = finance
    batch = approved_batch(awards=1)
    Batch.objects.filter(pk=batch.pk).update(state="issuing", issuing_started_at=timezone.now())
    page = press(client, "pause", batch, reason="Stripe is down")
    assert "Paused: nothing is issued until it is resumed. Stripe is down" in page
    assert "Issuing goes on." in press(client, "resume", batch)


def test_lists_and_pages_cost_the_same_for_one_and_three(finance):
    client, _person = finance
    counts = []
    for awards in (1, 3):
        batch = priced_batch(awards=awards)
        page_of(client, batch)  # fills the cache of its figures
        with CaptureQueriesContext(connection) as captured:
            page_of(client, batch)
            client.get(batch_url("awards", batch))
            client.get(reverse("admin:compensation_batch_changelist"))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_role_without_money_sees_no_batch():
    client, _person = signed_in(Role.COMMUNICATIONS)
    assert client.get(batch_url("change", submitted_batch())).status_code == 403


@pytest.mark.parametrize(
    "name", ["price", "submit", "approve", "reject", "cancel", "pause", "resume", "retry"]
)
def test_buttons_are_shut_for_readers_and_for_get(name):
    batch = submitted_batch()
    agent, _person = signed_in(Role.SUPPORT_AGENT)
    assert agent.post(batch_url(name, batch)).status_code == 403
    both, _person = signed_in(Role.FINANCE, Role.FINANCE_APPROVER)
    assert both.get(batch_url(name, batch)).status_code == 405


def test_reader_sees_the_next_step_but_may_not_take_it():
    client, _person = signed_in(Role.AUDITOR)
    page = page_of(client, submitted_batch())
    assert "Your role may look at batches, not do this." in page
    assert "Reject …" not in page


def test_unknown_batch_is_not_found(finance):
    for pk in ("99999", "abc"):
        url = reverse("admin:compensation_batch_change", args=[pk])
        assert finance[0].get(url).status_code == 404


def test_batch_is_drafted_and_priced_from_the_incident(finance):
    client, person = finance
    version = PolicyVersionFactory(policy__name="Standard SLA")
    RuleFactory(version=version, position=1, uptime_to="100")
    activate(version)
    exposure = ExposureFactory()
    incident = exposure.incident
    OutageFactory(incident=incident)
    Incident.objects.filter(pk=incident.pk).update(cohorts_resolved_at=timezone.now())
    fragment = words(client.get(reverse("admin:compensation_incident_batches", args=[incident.pk])))
    assert "Draft a batch under Standard SLA v1 Draft and price it" in fragment
    url = reverse("admin:compensation_incident_draft", args=[incident.pk])
    page = words(client.post(url, {"version": version.pk}, follow=True))
    batch = Batch.objects.get()
    assert (batch.created_by, batch.state) == (person, "priced")
    assert "Priced." in page
    fragment = words(client.get(reverse("admin:compensation_incident_batches", args=[incident.pk])))
    assert f"Batch {batch.number}" in fragment


def test_drafting_under_no_policy_is_refused_in_words(finance):
    incident = IncidentFactory()
    url = reverse("admin:compensation_incident_draft", args=[incident.pk])
    for version in ("", "abc", "999"):
        page = words(finance[0].post(url, {"version": version}, follow=True))
        assert "Choose a policy that is in force." in page
    assert not Batch.objects.exists()


def test_incident_fragment_says_how_to_begin_without_a_policy(finance):
    url = reverse("admin:compensation_incident_batches", args=[IncidentFactory().pk])
    assert "No policy is in force. Activate one first." in words(finance[0].get(url))
    reader, _person = signed_in(Role.SUPPORT_AGENT)
    assert "Draft" not in words(reader.get(url)).replace("drafts itself", "")
