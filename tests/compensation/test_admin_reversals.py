"""Reversals in the admin, as finance and an approver see and press them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from compensation.ledger import NewEntry, record_entries
from compensation.models import Reversal, ReversalRequest
from compensation.reversing import ask_for_batch
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.compensation.screens import page_of, signed_in, words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    monkeypatch.setattr("compensation.reversing.deciding.wake_issuing", lambda: None)


def booked(award, *, used=0):
    fields = {"customer_id": award.customer_id, "award_id": award.pk, "currency": "EUR"}
    entries = [
        NewEntry(kind="credit", amount_minor=award.amount_minor, booked_at=timezone.now(), **fields)
    ]
    if used:
        entries.append(
            NewEntry(
                kind="consumed",
                amount_minor=-used,
                note="2026-0611",
                booked_at=timezone.now(),
                **fields,
            )
        )
    record_entries(entries)
    return award


@pytest.fixture
def batch():
    batch = BatchFactory(state="issued")
    first, *others = AwardFactory.create_batch(3, batch=batch, state="issued")
    booked(first, used=1200)
    for award in others:
        booked(award)
    AwardFactory(
        batch=batch, state="issued", benefit="trial", amount_minor=0, currency="", days=7,
        trial_end_target=timezone.now() + timedelta(days=9),
    )  # fmt: skip
    return batch


def url(name, row):
    return reverse(f"admin:compensation_{name}", args=[row.pk])


def of_request(client, row):
    return words(client.get(url("reversalrequest_change", row)))


def test_batch_from_asking_to_approval(batch):
    finance, asker = signed_in(Role.FINANCE)
    assert "Take back …" in page_of(finance, batch)
    page = words(finance.get(url("batch_reverse", batch)))
    assert "4 awards would be taken back: EUR 137.70" in page
    assert "EUR 12.00 were used on invoices and stay." in page
    assert "1 trial goes back to the end it had" in page
    answer = finance.post(
        url("batch_reverse", batch), {"cause": "twice", "reason": "Ran twice"}, follow=True
    )
    row = ReversalRequest.objects.get()
    assert (row.asked_by, row.state) == (asker, "asked")
    page = words(answer)
    assert "Asked. Somebody else must approve it now" in page
    assert "4 awards, at most EUR 137.70" in page
    assert "It was booked twice." in page
    assert "waits for approval, Ran twice" in page_of(finance, batch)
    assert "Take back …" not in page_of(finance, batch)

    approver, _person = signed_in(Role.FINANCE_APPROVER)
    page = words(approver.get(reverse("admin:compensation_reversalrequest_changelist")))
    assert f"R-{row.pk}" in page
    assert "Approve: take back 4 awards, at most EUR 137.70" in of_request(approver, row)
    page = words(
        approver.post(url("reversalrequest_approve", row), {"digest": row.digest}, follow=True)
    )
    assert f"You have approved R-{row.pk}." in page
    assert "Approved: being taken back." in page


def test_asking_shows_what_is_missing(batch):
    finance, _person = signed_in(Role.FINANCE)
    page = words(finance.post(url("batch_reverse", batch), {"cause": "twice", "reason": " "}))
    assert "Say why it is to be taken back." in page
    assert not ReversalRequest.objects.exists()


def test_award_shows_use_and_what_stays(batch):
    finance, _person = signed_in(Role.FINANCE)
    award = batch.awards.order_by("id").first()
    page = words(finance.get(url("award_reverse", award)))
    assert "1 award would be taken back: EUR 37.90" in page
    assert "EUR 12.00 on invoice 2026-0611." in page
    finance.post(url("award_reverse", award), {"cause": "amount", "reason": "Typo"})
    page = words(finance.get(url("award_change", award)))
    assert "Taking it back" in page
    assert "Typo waits for approval" in page
    assert "Take back …" not in page
    type(award).objects.filter(pk=award.pk).update(state="reversed", reversed_minor=3790)
    page = words(finance.get(url("award_change", award)))
    assert "EUR 37.90 were taken back, EUR 12.00 had been used and stay." in page


def test_nothing_left_to_ask_for():
    award = booked(AwardFactory(state="issued", batch__state="issued"), used=4990)
    finance, _person = signed_in(Role.FINANCE)
    page = words(finance.get(url("award_reverse", award)))
    assert "Nothing is left to be taken back." in page
    assert "Ask to take back" not in page


def test_asker_sees_why_they_cannot_approve(batch):
    person = staff(Role.FINANCE, Role.FINANCE_APPROVER)
    row = ask_for_batch(batch, by=person, cause="mistake", reason="Wrong list")
    client = Client()
    client.force_login(person)
    assert "You asked for this: another person approves it." in of_request(client, row)
    auditor, _person = signed_in(Role.AUDITOR)
    assert "Your role may look at reversals, not do this." in of_request(auditor, row)


def test_reject_and_withdraw(batch):
    row = ask_for_batch(batch, by=staff(Role.FINANCE), cause="mistake", reason="Wrong list")
    approver, _person = signed_in(Role.FINANCE_APPROVER)
    page = words(
        approver.post(url("reversalrequest_reject", row), {"reason": "It was right"}, follow=True)
    )
    assert "Rejected: the customers keep what they have." in page
    assert "It was right" in page
    row = ask_for_batch(batch, by=staff(Role.FINANCE), cause="mistake", reason="Wrong list")
    finance, _person = signed_in(Role.FINANCE)
    page = words(finance.post(url("reversalrequest_withdraw", row), {"reason": "No"}, follow=True))
    assert "Withdrawn: the customers keep what they have." in page


def test_unknown_outcome_is_decided_by_a_person(batch):
    award = batch.awards.order_by("id").first()
    row = ask_for_batch(batch, by=staff(Role.FINANCE), cause="mistake", reason="Wrong list")
    ReversalRequest.objects.update(state="approved")
    Reversal.objects.filter(award=award).update(
        state="unknown", amount_minor=3790, idempotency_key="k", parameters_hash="h",
        first_sent_at=timezone.now(), error_message="Stripe has it more than once.",
    )  # fmt: skip
    reversal = Reversal.objects.get(award=award)
    approver, person = signed_in(Role.FINANCE_APPROVER)
    page = of_request(approver, row)
    assert "1 outcome is unknown: look at Stripe and decide below." in page
    assert f"Has Stripe taken EUR 37.90 back from {award.customer}?" in page
    door = reverse("admin:compensation_reversal_settle", args=[reversal.pk])
    page = words(approver.post(door, {"was_booked": "yes", "reason": "Seen"}, follow=True))
    assert "Say under which id Stripe has it." in page
    approver.post(door, {"was_booked": "yes", "reason": "Seen", "stripe_id": "cbtxn_1"})
    reversal.refresh_from_db()
    award.refresh_from_db()
    assert (reversal.state, reversal.stripe_id) == ("done", "cbtxn_1")
    assert (award.state, award.reversed_minor) == ("reversed", 3790)
    assert award.ledger_entries.get(kind="reversal").amount_minor == -3790
    other = Reversal.objects.exclude(pk=reversal.pk).first()
    Reversal.objects.filter(pk=other.pk).update(
        state="unknown", idempotency_key="k2", parameters_hash="h", first_sent_at=timezone.now()
    )
    approver.post(
        reverse("admin:compensation_reversal_settle", args=[other.pk]),
        {"was_booked": "no", "reason": "Not there"},
    )
    other.refresh_from_db()
    assert (other.state, other.error_message) == ("failed", f"{person}: Not there")
    assert "1 could not be taken back" in of_request(approver, row)


@pytest.mark.parametrize("awards", [1, 3])
def test_pages_ask_the_same_however_many(awards, django_assert_max_num_queries):
    batch = BatchFactory(state="issued")
    for award in AwardFactory.create_batch(awards, batch=batch, state="issued"):
        booked(award)
    row = ask_for_batch(batch, by=staff(Role.FINANCE), cause="mistake", reason="Wrong list")
    approver, _person = signed_in(Role.FINANCE_APPROVER)
    of_request(approver, row)
    with django_assert_max_num_queries(22):
        of_request(approver, row)
