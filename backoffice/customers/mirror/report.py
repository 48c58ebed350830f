"""What a run of the mirror did."""

from dataclasses import asdict, dataclass, field
from typing import Any

from backoffice.customers.importing.report import Counts


@dataclass(frozen=True)
class Skipped:
    """One object that was left out: its id at Stripe (or our reference), and why."""

    what: str
    reason: str


@dataclass
class MirrorReport:
    """Counts of what came in and of what was created at Stripe."""

    customers: Counts = field(default_factory=Counts)
    subscriptions: Counts = field(default_factory=Counts)
    skipped: list[Skipped] = field(default_factory=list)
    customers_created: int = 0
    subscriptions_created: int = 0
    failed: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)
