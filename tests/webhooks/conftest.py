"""A door with one secret, no broker, and time to read."""

import pytest

from backoffice.webhooks import receivers, signals
from tests.webhooks.posting import SECRET


@pytest.fixture(autouse=True)
def door(settings):
    """Nobody is woken: tests handle by themselves."""
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    settings.STRIPE_CALLS_PER_SECOND = 5000.0
    settings.STRIPE_TIMEOUT_SECONDS = 5
    signals.events_waiting.disconnect(receivers.wake_handling)
    yield
    signals.events_waiting.connect(receivers.wake_handling)
