"""Issuing, against the sandbox: one test per outcome."""

import logging
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.issuing import (
    has_work,
    issue,
    pause_batch,
    resume_batch,
    resume_issuing,
    stop_issuing,
)
from compensation.issuing.control import start_batches
from compensation.issuing.lock import IssuerLock
from compensation.ledger import balance, verify_chain
from compensation.models import Award, Batch, IssuingControl, LedgerEntry
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory
from tests.compensation.stories import (
    approve,
    change_behind_our_back,
    priced_batch,
    seed_sandbox,
)

pytestmark = pytest.mark.django_db

CREDITS = "/balance_transactions"


def states(batch):
    return sorted(batch.awards.values_list("state", flat=True))


def credited(sandbox):
    totals = sandbox.totals("award")
    assert totals["by_metadata"]["credited_more_than_once"] == 0
    euro = totals["currencies"].get("eur", {"credits": 0, "credited_minor": 0})
    return euro["credits"], euro["credited_minor"]


def assert_all_issued(batch, sandbox, awards=5):
    batch.refresh_from_db()
    assert states(batch) == ["issued"] * awards
    assert batch.state == "issued"
    assert credited(sandbox) == (awards, awards * 4990)
    assert LedgerEntry.objects.count() == awards
    assert not list(verify_chain())


def test_issue(batch, issuing):
    assert has_work()
    tally = issue()
    assert (tally.issued, tally.failed, tally.unknown, tally.has_more) == (5, 0, 0, False)
    assert_all_issued(batch, issuing)
    assert not has_work()
    award = batch.awards.first()
    entry = LedgerEntry.objects.get(award=award)
    assert award.stripe_id.startswith("cbtxn_")
    assert award.issued_at == entry.booked_at
    assert (entry.kind, entry.amount_minor, entry.currency) == ("credit", 4990, "EUR")
    assert (entry.stripe_id, entry.customer_id) == (award.stripe_id, award.customer_id)
    assert balance(award.customer, "EUR") == 4990
    assert award.attempt == 1


def test_issue_again_does_nothing(batch, issuing):
    issue()
    requests = issuing.totals()["requests"]
    assert issue().issued == 0
    assert issuing.totals()["requests"] == requests


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost_answer"},
        {"kind": "truncated"},
        {"kind": "cut_answer"},
        {"kind": "error_503"},
        {"kind": "drop_before"},
        {"kind": "conflict_409"},
        {"kind": "error_502_html"},
        {"kind": "error_502_html", "kept": True},
        {"kind": "rate_limit"},
        {"kind": "delay", "delay_ms": 2500, "where": "after"},
    ],
    ids=lambda fault: f"{fault['kind']}{'_kept' * fault.get('kept', False)}",
)
def test_issue_through_faults_keeps_the_key(batch, issuing, fault):
    issuing.faults({"path": CREDITS, "method": "POST", "count": 3, **fault})
    tally = issue()
    assert issuing.faults()[0]["fired"] == 3
    assert (tally.issued, tally.failed, tally.unknown) == (5, 0, 0)
    assert_all_issued(batch, issuing)
    assert set(batch.awards.values_list("attempt", "error_message")) == {(1, "")}


def test_issue_looks_up_what_a_kept_failure_hides(batch, issuing):
    """The same key would only repeat the 500: the list shows that it was booked."""
    issuing.faults({"kind": "error_500_kept", "path": CREDITS, "method": "POST", "count": 2})
    assert issue().issued == 5
    assert_all_issued(batch, issuing)
    assert set(batch.awards.values_list("attempt", flat=True)) == {1}


def test_issue_sends_anew_what_a_repeated_failure_did_not_book(batch, issuing):
    """The same key would only repeat the 500: the list proves that nothing was booked."""
    issuing.faults({"kind": "error_500_lost", "path": CREDITS, "method": "POST", "count": 2})
    assert issue().issued == 5
    assert_all_issued(batch, issuing)
    assert sorted(batch.awards.values_list("attempt", flat=True)) == [1, 1, 1, 2, 2]


def test_issue_slows_down_when_told_so(batch, issuing):
    issuing.faults({"kind": "rate_limit", "path": CREDITS, "every_nth": 2})
    assert issue().failed == 0
    assert_all_issued(batch, issuing)


def test_issue_stops_everything_when_the_key_is_refused(batch, issuing, caplog):
    caplog.set_level(logging.CRITICAL, "compensation.issuing.issuer")
    issuing.faults({"kind": "auth_401"})
    issue()
    batch.refresh_from_db()
    assert batch.state == "issuing"
    switch = IssuingControl.objects.get()
    assert switch.is_stopped
    assert switch.reason.startswith("Stripe does not accept our key: Invalid API Key")
    assert states(batch) == ["approved"] * 5
    keys = set(batch.awards.values_list("idempotency_key", flat=True))
    assert len(keys) == 5
    assert "" not in keys
    assert not has_work()
    issuing.clear_faults()
    resume_issuing(by=staff(Role.FINANCE))
    issue()
    assert_all_issued(batch, issuing)
    assert set(batch.awards.values_list("idempotency_key", flat=True)) == keys


def test_issue_keeps_what_may_be_booked_when_the_key_is_refused(batch, issuing, caplog):
    """Its first answer was lost, so it is not given back as if it had never been sent."""
    caplog.set_level(logging.CRITICAL, "compensation.issuing.issuer")
    issuing.faults(
        {"kind": "lost_answer", "path": CREDITS, "count": 5}, {"kind": "auth_401", "path": CREDITS}
    )
    issue()
    assert credited(issuing) == (5, 24950)
    assert states(batch) == ["sending"] * 5
    issuing.clear_faults()
    resume_issuing(by=staff(Role.FINANCE))
    issue()
    assert_all_issued(batch, issuing)


def test_issue_fails_an_award_whose_customer_is_gone(batch, issuing):
    gone = batch.awards.first()
    issuing.client().v1.customers.delete(gone.destination)
    tally = issue()
    assert (tally.issued, tally.failed) == (4, 1)
    gone.refresh_from_db()
    assert gone.state == "failed"
    assert gone.error_message == f"No such customer: '{gone.destination}'"
    assert gone.error_code == "resource_missing"
    batch.refresh_from_db()
    assert batch.state == "issued"
    assert credited(issuing)[0] == LedgerEntry.objects.count() == 4


def test_issue_fails_an_award_in_another_currency(issuing):
    batch = priced_batch()
    AwardFactory(batch=batch, currency="USD")
    seed_sandbox(issuing, batch)
    approve(batch)
    assert issue().failed == 1
    failed = batch.awards.get(currency="USD")
    assert failed.state == "failed"
    assert "eur" in failed.error_message


def test_issue_pauses_after_many_refusals_in_a_row(batch, issuing, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL, "compensation.issuing.issuer")
    monkeypatch.setattr("compensation.issuing.issuer.REFUSALS_BEFORE_PAUSING", 3)
    issuing.reset()
    issue()
    batch.refresh_from_db()
    assert batch.state == "paused"
    assert batch.pause_reason.startswith("3 refusals in a row, at last: No such customer")


def test_issue_refuses_awards_that_were_tampered_with(batch, issuing):
    award = batch.awards.first()
    change_behind_our_back(award, amount_minor=499000)
    issue()
    batch.refresh_from_db()
    assert batch.state == "paused"
    assert "not those that were approved" in batch.pause_reason
    assert issuing.totals()["currencies"] == {}
    with pytest.raises(MoveError, match="not those that were approved"):
        resume_batch(batch, by=staff(Role.FINANCE))
    change_behind_our_back(award, amount_minor=4990)
    resume_batch(batch, by=staff(Role.FINANCE))
    issue()
    assert_all_issued(batch, issuing)


def test_issue_looks_again_at_each_run(batch, issuing):
    start_batches()
    award = batch.awards.first()
    change_behind_our_back(award, destination="cus_thief")
    issue()
    batch.refresh_from_db()
    assert batch.state == "paused"
    assert issuing.totals()["currencies"] == {}


@pytest.mark.parametrize(
    "fields",
    [{"amount_minor": 1}, {"destination": "cus_thief"}, {"currency": "USD"}, {"days": 1}],
)
def test_what_was_approved_cannot_be_changed(batch, fields):
    with pytest.raises(DatabaseError, match="cannot change"), transaction.atomic():
        Award.objects.filter(pk=batch.awards.first().pk).update(**fields)


def test_issue_refuses_a_batch_that_nobody_signed(batch, issuing):
    batch.approvals.update(withdrawn_at=timezone.now())
    issue()
    batch.refresh_from_db()
    assert batch.state == "paused"
    assert issuing.totals()["currencies"] == {}


def test_issue_waits_while_everything_is_stopped(batch, issuing):
    person = staff(Role.FINANCE)
    stop_issuing(by=person, reason="Audit")
    assert not has_work()
    assert issue().issued == 0
    switch = IssuingControl.objects.get()
    assert (switch.is_stopped, switch.reason, switch.changed_by) == (True, "Audit", person)
    resume_issuing(by=person)
    assert has_work()
    issue()
    assert_all_issued(batch, issuing)


class Moment:
    """Does something in the issuer's own thread when it has looked `after` times."""

    def __init__(self, monkeypatch, what):
        from compensation.issuing.issuer import Issuer

        look = Issuer._look
        monkeypatch.setattr("compensation.issuing.issuer.LOOK_SECONDS", 0)
        seen = []

        def looked(issuer):
            look(issuer)
            seen.append(1)
            if len(seen) == 2:
                what()
                look(issuer)

        monkeypatch.setattr(Issuer, "_look", looked)


@pytest.mark.parametrize("how", ["pause", "stop"])
def test_issue_stops_in_the_middle_and_goes_on_without_loss(issuing, monkeypatch, settings, how):
    settings.STRIPE_CALLS_IN_FLIGHT = 2
    batch = priced_batch(awards=20)
    seed_sandbox(issuing, batch)
    approve(batch)
    issuing.limits(delay_ms=300)
    person = staff(Role.FINANCE)

    def halt():
        if how == "pause":
            pause_batch(Batch.objects.get(pk=batch.pk), by=person, reason="Wait")
        else:
            stop_issuing(by=person, reason="Wait")

    with monkeypatch.context() as patch:
        Moment(patch, halt)
        tally = issue()
    assert 0 < tally.issued < 20
    assert states(batch).count("approved") == 20 - tally.issued
    assert credited(issuing)[0] == tally.issued
    keys = dict(batch.awards.values_list("id", "idempotency_key"))
    assert "" not in keys.values()
    batch.refresh_from_db()
    if how == "pause":
        assert (batch.state, batch.pause_reason) == ("paused", "Wait")
        resume_batch(batch, by=person)
    else:
        resume_issuing(by=person)
    issuing.limits(delay_ms=0)
    issue()
    assert_all_issued(batch, issuing, awards=20)
    assert dict(batch.awards.values_list("id", "idempotency_key")) == keys


def test_issue_ends_in_time_and_says_there_is_more(issuing, monkeypatch, settings):
    settings.STRIPE_CALLS_IN_FLIGHT = 2
    monkeypatch.setattr("compensation.issuing.issuer.CLOSING_SECONDS", 0)
    batch = priced_batch(awards=10)
    seed_sandbox(issuing, batch)
    approve(batch)
    issuing.limits(delay_ms=300)
    tally = issue(seconds=0.5)
    assert tally.has_more
    assert 0 < tally.issued < 10
    assert states(batch).count("approved") == 10 - tally.issued
    issuing.limits(delay_ms=0)
    assert not issue().has_more
    assert_all_issued(batch, issuing, awards=10)


def test_issue_leaves_when_another_issuer_is_at_it(batch, issuing):
    with IssuerLock() as lock:
        assert lock.is_held
        assert issue() is None
    assert states(batch) == ["approved"] * 5
    issue()
    assert_all_issued(batch, issuing)


def test_issue_claims_nothing_once_the_lock_is_lost(batch, issuing, monkeypatch):
    def cut():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND objsubid = 1"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            assert cursor.rowcount == 1

    with IssuerLock() as lock:
        cut()
        from compensation.issuing.issuer import Issuer

        tally = Issuer(lock, seconds=10).run()
    assert tally.issued == 0
    assert tally.has_more
    assert states(batch) == ["approved"] * 5
    issue()
    assert_all_issued(batch, issuing)


def test_issue_gives_goodwill_first(batch, issuing, settings):
    settings.STRIPE_CALLS_IN_FLIGHT = 1
    other = batch.awards.first()
    goodwill = AwardFactory(
        batch=None,
        source="goodwill",
        subscription=other.subscription,
        state="approved",
        destination=other.destination,
        amount_minor=500,
    )
    issue()
    goodwill.refresh_from_db()
    assert goodwill.state == "issued"
    assert LedgerEntry.objects.order_by("id").first().award == goodwill
    assert balance(other.customer, "EUR") == 5490


def test_issue_stops_everything_when_the_key_is_refused_for_goodwill(issuing, caplog):
    caplog.set_level(logging.CRITICAL, "compensation.issuing.issuer")
    goodwill = AwardFactory(batch=None, source="goodwill", state="approved", destination="cus_1")
    issuing.faults({"kind": "auth_401"})
    issue()
    goodwill.refresh_from_db()
    assert goodwill.state == "approved"
    switch = IssuingControl.objects.get()
    assert switch.is_stopped
    assert switch.reason.startswith("Stripe does not accept our key")


def test_issue_gives_priority_support_without_stripe(issuing):
    batch = priced_batch(awards=0)
    AwardFactory.create_batch(
        3, batch=batch, benefit="priority", amount_minor=0, currency="", days=7
    )
    approve(batch)
    before = timezone.now()
    assert issue().issued == 3
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == ("issued", ["issued"] * 3)
    award = batch.awards.first()
    assert award.priority_until == award.issued_at + timedelta(days=7)
    assert award.issued_at >= before
    entry = award.ledger_entries.get()
    assert (entry.kind, entry.amount_minor, entry.note) == ("priority", 0, "7 days")
    assert issuing.totals()["requests"] == 0
