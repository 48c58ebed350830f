"""Both books are walked, and what was planted is found: no more, no less."""

import csv
import json
from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.accounts.roles import Role
from backoffice.customers.models import Customer
from backoffice.states import MoveError
from compensation.models import Finding, ReconciliationRun
from compensation.models.reconciliation import FindingKind
from compensation.reconciliation import (
    go_on,
    next_run,
    open_run,
    start_daily,
    stop_run,
    walking,
)
from compensation.reconciliation.report import run_report
from tests.accounts.factories import staff
from tests.compensation.planting import PLANTS, plant
from tests.customers.factories import CustomerFactory
from tests.worker import WorkerProcess, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reconciling(monkeypatch, settings, stripe_sandbox):
    """Quick, by hand, and without waiting for what was only just used."""
    monkeypatch.setattr("compensation.reconciliation.runs.wake_reconciling", lambda: None)
    monkeypatch.setattr("compensation.reconciliation.theirs.PAUSES_SECONDS", (0.01, 0.01))
    settings.STRIPE_CALLS_PER_SECOND = 2000.0
    settings.STRIPE_TIMEOUT_SECONDS = 2
    settings.RECONCILIATION_GRACE_SECONDS = 0
    return stripe_sandbox


def run_all(scope="awarded", **more):
    run = open_run(scope, **more)
    assert go_on() is False
    run.refresh_from_db()
    return run


def identities(**fields):
    return set(Finding.objects.filter(**fields).values_list("identity", flat=True))


@pytest.fixture
def planted(reconciling, stripe_sandbox_process):
    return plant(stripe_sandbox_process.state, awards=200, each=3)


def test_finds_what_was_planted_and_nothing_else(planted):
    run = run_all()
    assert (run.state, run.note, run.customers_skipped) == ("finished", "", 0)
    assert identities(state="open") == planted
    assert run.found == len(planted) == 3 * len(PLANTS)
    assert (run.awards, run.customers_done) == (198, 90)
    report = run_report(run)
    assert report["open"] == len(planted)
    for line in report["totals"].values():
        assert line["difference"] != 0
        assert line["unexplained"] == 0


def test_same_difference_is_the_same_finding(planted):
    run_all()
    first = dict(Finding.objects.values_list("identity", "pk"))
    again = run_all("full")
    assert dict(Finding.objects.values_list("identity", "pk")) == first
    assert (again.found, again.seen_again, again.closed) == (0, len(planted), 0)


def test_goes_on_where_a_killed_worker_was(planted, reconciling, tmp_path, monkeypatch):
    reconciling.limits(rate=0, delay_ms=60)
    run = open_run("awarded")
    environment = {
        "STRIPE_CALLS_PER_SECOND": "2000", "STRIPE_CALLS_IN_FLIGHT": "4",
        "RECONCILIATION_GRACE_SECONDS": "0", "RECONCILIATION_CHUNK": "10",
    }  # fmt: skip
    with WorkerProcess(log=tmp_path / "log", environment=environment) as worker:
        worker.start()
        worker.send("compensation.tasks.reconcile")
        wait_until(lambda: ReconciliationRun.objects.get().cursor > 0, seconds=20, every=0.02)
        worker.kill()
    run.refresh_from_db()
    assert run.state == "running"
    assert 0 < run.customers_done < 90
    before = Finding.objects.count()
    reconciling.limits(rate=0, delay_ms=0)
    wait_until(lambda: go_on() or not next_run(), seconds=20, every=0.1)
    run.refresh_from_db()
    assert (run.state, run.customers_done, run.awards) == ("finished", 90, 198)
    assert before < run.found == len(planted)
    assert identities(state="open") == planted


def test_gives_way_to_issuing(planted, monkeypatch):
    run = open_run("awarded")
    busy = iter([False, True])
    monkeypatch.setattr(walking, "LOOK_SECONDS", 0)
    monkeypatch.setattr(walking, "_is_issuing", lambda: next(busy, True))
    assert go_on() is False
    run.refresh_from_db()
    assert (run.state, run.note) == ("running", walking.WAITS)
    assert run.customers_done < 90
    monkeypatch.setattr(walking, "_is_issuing", lambda: False)
    assert go_on() is False
    run.refresh_from_db()
    assert (run.state, run.note, run.customers_done) == ("finished", "", 90)
    assert identities() == planted


def test_approved_batch_is_work(reconciling, issuing, batch):
    run = open_run("awarded")
    go_on()
    run.refresh_from_db()
    assert (run.state, run.calls, run.note) == ("running", 0, walking.WAITS)


def test_silent_stripe_is_no_difference(planted, reconciling):
    reconciling.faults({"kind": "drop_before"})
    run = open_run("awarded")
    assert go_on() is False
    run.refresh_from_db()
    assert (run.state, run.cursor, run.note) == ("running", 0, walking.SILENT)
    assert Finding.objects.count() == 0
    reconciling.clear_faults()
    go_on()
    assert identities() == planted


def test_key_that_stripe_refuses_stops_the_run(planted, reconciling):
    reconciling.faults({"kind": "auth_401"})
    run = run_all()
    assert (run.state, run.customers_done) == ("stopped", 0)
    assert "does not accept our key" in run.note


def test_one_walk_at_a_time_and_single_customers_in_between(planted):
    customer = Customer.objects.get(reference="P-000000")
    walk = open_run("awarded")
    with pytest.raises(MoveError):
        open_run("full")
    open_run("customer", customer=customer)
    with pytest.raises(MoveError):
        open_run("customer", customer=customer)
    assert next_run().customer == customer
    with pytest.raises(PermissionDenied):
        stop_run(walk, by=staff(Role.AUDITOR), reason="No.")
    stop_run(walk, by=staff(Role.FINANCE), reason="Not now.")
    go_on()
    assert identities() == {f"missing:award {customer.awards.order_by('id')[0].pk}"}


def test_full_run_finds_customers_without_awards(planted, reconciling):
    client = reconciling.client()
    stranger = CustomerFactory.create(reference="S-1", stripe_customer_id="cus_stranger")
    reconciling.seed([{"customer": {"id": "cus_stranger"}}])
    made = client.v1.customers.balance_transactions.create(
        "cus_stranger", {"amount": -500, "currency": "eur"}
    )
    assert run_all().customers_done == 90
    assert not Finding.objects.filter(customer=stranger).exists()
    assert run_all("full").customers_done == 91
    assert identities(customer=stranger) == {f"unknown:{made.id}"}
    # known by now, so every run looks
    assert run_all().customers_done == 91


@pytest.mark.parametrize(
    ("hour", "weekday", "scope"), [(-1, 6, None), (0, -1, "awarded"), (0, 5, "full")]
)
def test_beat_starts_the_days_run_once(reconciling, settings, monkeypatch, hour, weekday, scope):
    settings.RECONCILIATION_HOUR, settings.RECONCILIATION_FULL_WEEKDAY = hour, weekday
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 11, 21, 4, tzinfo=UTC))
    run = start_daily()
    assert (run.scope if run else None) == scope
    go_on()
    assert start_daily() is None


def test_command_says_what_differs_and_exits_with_1(planted, capsys):
    with pytest.raises(SystemExit) as exit_:
        call_command("reconcile", json=True)
    assert exit_.value.code == 1
    report = json.loads(capsys.readouterr().out)
    assert {row["detail"] for row in report["findings"]}
    assert (report["open"], len(report["findings"])) == (len(planted), len(planted))
    agrees = Customer.objects.get(reference="P-000089").stripe_customer_id
    call_command("reconcile", customer=agrees)
    assert "0 open findings." in capsys.readouterr().out
    with pytest.raises(CommandError, match="nobody") as broken:
        call_command("reconcile", customer="nobody")
    assert broken.value.returncode == 2


def test_pages_cost_the_same_for_one_and_three(planted, client):
    run = run_all()
    client.force_login(staff(Role.FINANCE))
    page = reverse("admin:compensation_reconciliationrun_changelist")
    client.get(page)
    with CaptureQueriesContext(connection) as one:
        assert "Missing at Stripe" in client.get(page).content.decode()
    for _ in range(2):
        run_all()
    with CaptureQueriesContext(connection) as three:
        assert client.get(page).status_code == 200
    assert len(three) == len(one)
    lines = b"".join(client.get(reverse("admin:compensation_reconciliationrun_csv", args=[run.pk])))
    rows = list(csv.DictReader(lines.decode().splitlines()))
    assert len(rows) == len(planted)
    assert {row["kind"] for row in rows} == {kind.value for kind in FindingKind}
    shown = client.get(reverse("admin:compensation_reconciliationrun_change", args=[run.pk]))
    assert "EUR" in shown.content.decode()
    assert client.get(reverse("admin:compensation_finding_changelist")).status_code == 200


def test_person_settles_a_finding_in_the_admin(planted, client):
    run_all()
    finding = Finding.objects.filter(kind="unknown")[0]
    client.force_login(staff(Role.FINANCE))
    page = reverse("admin:compensation_finding_change", args=[finding.pk])
    assert "Accept as made by hand" in client.get(page).content.decode()
    accept = reverse("admin:compensation_finding_accept", args=[finding.pk])
    client.post(accept, {"reason": ""})
    assert Finding.objects.get(pk=finding.pk).state == "open"
    client.post(accept, {"reason": "Agreed on the phone."})
    finding.refresh_from_db()
    assert (finding.state, finding.settled_reason) == ("acknowledged", "Agreed on the phone.")
    assert "Agreed on the phone." in client.get(page).content.decode()
