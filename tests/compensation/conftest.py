"""What tests of issuing stand on: no broker, short pauses, a batch the sandbox knows."""

import pytest

from tests.compensation.stories import approve, priced_batch, seed_sandbox


@pytest.fixture
def issuing(monkeypatch, settings, stripe_sandbox):
    """The sandbox to issue against; tests call the issuer themselves."""
    monkeypatch.setattr("compensation.approval.wake_issuing", lambda: None)
    monkeypatch.setattr("compensation.issuing.control.wake_issuing", lambda: None)
    monkeypatch.setattr("compensation.issuing.issuer.PAUSES_SECONDS", (0.05,))
    monkeypatch.setattr("compensation.issuing.hands.GATHER_SECONDS", 0.02)
    settings.STRIPE_CALLS_PER_SECOND = 500.0
    settings.STRIPE_TIMEOUT_SECONDS = 2
    return stripe_sandbox


@pytest.fixture
def batch(issuing):
    """Approved: five credits of EUR 49.90 for customers whom the sandbox knows."""
    batch = priced_batch(awards=5)
    seed_sandbox(issuing, batch)
    return approve(batch)
