"""Issuing, against the sandbox: one test per outcome."""

import pytest

from compensation.issuing import issue
from compensation.ledger import balance, verify_chain
from compensation.models import LedgerEntry
from tests.compensation.stories import approve, priced_batch, seed_sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def asleep(monkeypatch, settings):
    """No broker: tests call the issuer themselves."""
    monkeypatch.setattr("compensation.approval.wake_issuing", lambda: None)
    monkeypatch.setattr("compensation.issuing.control.wake_issuing", lambda: None)
    monkeypatch.setattr("compensation.issuing.issuer.PAUSES_SECONDS", (0.05,))
    settings.STRIPE_CALLS_PER_SECOND = 500.0
    settings.STRIPE_TIMEOUT_SECONDS = 2


@pytest.fixture
def batch(stripe_sandbox):
    batch = approve(priced_batch(awards=5))
    seed_sandbox(stripe_sandbox, batch)
    return batch


def states(batch):
    return sorted(batch.awards.values_list("state", flat=True))


def credited(sandbox):
    totals = sandbox.totals("award")
    assert totals["by_metadata"]["credited_more_than_once"] == 0
    euro = totals["currencies"].get("eur", {"credits": 0, "credited_minor": 0})
    return euro["credits"], euro["credited_minor"]


def all_issued(batch, sandbox, awards=5):
    batch.refresh_from_db()
    assert states(batch) == ["issued"] * awards
    assert batch.state == "issued"
    assert credited(sandbox) == (awards, awards * 4990)
    assert LedgerEntry.objects.count() == awards
    assert not list(verify_chain())
    return True


def test_issue(batch, stripe_sandbox):
    tally = issue()
    assert (tally.issued, tally.failed, tally.unknown, tally.has_more) == (5, 0, 0, False)
    assert all_issued(batch, stripe_sandbox)
    award = batch.awards.first()
    entry = LedgerEntry.objects.get(award=award)
    assert award.stripe_id.startswith("cbtxn_")
    assert award.issued_at == entry.booked_at
    assert (entry.kind, entry.amount_minor, entry.currency) == ("credit", 4990, "EUR")
    assert (entry.stripe_id, entry.customer_id) == (award.stripe_id, award.customer_id)
    assert balance(award.customer, "EUR") == 4990
    assert award.attempt == 1
