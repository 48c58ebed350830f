"""What an endpoint works with: the state, the clock, and the request that is being answered."""

from dataclasses import dataclass, field

from backoffice.stripe_sandbox.clock import Clock
from backoffice.stripe_sandbox.store import Store

API_VERSION = "2026-10-28.endive"
"""The version that stripe-python 16.1 pins; the objects have its shape."""


@dataclass
class World:
    """The one account that the sandbox plays."""

    store: Store
    clock: Clock = field(default_factory=Clock)
    api_version: str = API_VERSION
    request_id: str | None = None
    idempotency_key: str | None = None
    sends_webhooks: bool = False
    silent: bool = False
    """While set, nothing is announced: neither event nor webhook."""

    def now(self) -> int:
        """Unix seconds by the sandbox's own clock."""
        return self.clock.now()
