"""A policy version made ready to be compiled, together with what it is applied to."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from compensation.models import PolicyVersion, Rule
from compensation.pricing.periods import Period, calendar_period
from incidents.models import Incident


@dataclass(frozen=True)
class Terms:
    """One version for one incident at one moment.

    `running_seconds` is how long running outages have gone on since the exposures were counted:
    0 where a batch is priced, which takes the exposures as they stand.
    """

    version: PolicyVersion
    incident: Incident
    at: datetime
    batch_id: int | None = None
    running_seconds: int = 0
    # Only this customer's exposures; None: everybody's.
    customer_id: int | None = None
    rules: tuple[Rule, ...] = field(default=())

    @classmethod
    def of(cls, version: PolicyVersion, incident: Incident, at: datetime, **more: int) -> "Terms":
        """Reads the version's rows."""
        return cls(version, incident, at, rules=tuple(version.rules.all()), **more)

    @cached_property
    def period(self) -> Period | None:
        """The one period for all, or None where each subscription is billed in its own."""
        if self.version.fee_period == PolicyVersion.FeePeriod.BILLING:
            return None
        return calendar_period(self.incident.started_at, self.version.fee_period)

    @cached_property
    def partial_permille(self) -> int:
        return int(self.version.partial_weight * 1000)

    @property
    def owes_nothing(self) -> bool:
        """Announced maintenance is no failure unless the policy says so; no rows, no promise."""
        is_maintenance = self.incident.kind == Incident.Kind.MAINTENANCE
        return not self.rules or (is_maintenance and not self.version.counts_maintenance)

    @property
    def adds_rows_up(self) -> bool:
        return self.version.hit_policy == PolicyVersion.HitPolicy.ALL

    def uses(self, credit: Rule.Credit) -> bool:
        return any(rule.credit == credit for rule in self.rules)
