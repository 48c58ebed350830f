"""Both books are walked, and what was planted is found: no more, no less."""

import pytest

from compensation.models import Finding
from compensation.reconciliation import go_on, open_run
from compensation.reconciliation.report import run_report
from tests.compensation.planting import PLANTS, plant

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
