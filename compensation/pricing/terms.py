"""A policy version made ready to be compiled, together with what it is applied to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef

from compensation.models import PolicyVersion, Rule
from compensation.pricing.periods import Period, add_months, calendar_period
from incidents.models import Exposure, Incident

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
# Weights of partial outages have three decimals.
WEIGHTS_SCALE = 1000
# A percentage of requests has three decimals, a share of customers is taken to six.
REQUESTS_SCALE = 100_000
CUSTOMERS_SCALE = 1_000_000
# The longest billing interval that is looked through for other incidents, in months.
LONGEST_INTERVAL = 36


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
    # A made-up period (examples), and a made-up share of customers that were hit.
    period_override: Period | None = None
    customers_share: Decimal | None = None
    # Shares of customers that were worked out before, by incident (backtests).
    known_shares: Mapping[int, Decimal] | None = None
    # As if no batch of this incident had given anything (simulation).
    ignores_own_awards: bool = False
    rules: tuple[Rule, ...] = field(default=())

    @classmethod
    def of(cls, version: PolicyVersion, incident: Incident, at: datetime, **more: Any) -> "Terms":
        """Reads the version's rows."""
        return cls(version, incident, at, rules=tuple(version.rules.all()), **more)

    @cached_property
    def period(self) -> Period | None:
        """The one period for all, or None where each subscription is billed in its own."""
        if self.period_override is not None:
            return self.period_override
        if self.version.fee_period == PolicyVersion.FeePeriod.BILLING:
            return None
        return calendar_period(self.incident.started_at, self.version.fee_period)

    @property
    def counted_until(self) -> datetime:
        """Up to when running outages count."""
        counted = self.incident.cohorts_resolved_at
        return self.at if counted is None else counted + timedelta(seconds=self.running_seconds)

    @property
    def counts_outages(self) -> bool:
        """Whether downtime must be taken from the outages, not from the exposures' seconds."""
        version = self.version
        return (
            version.shortest_minutes is not None
            or version.interval_minutes is not None
            or version.affected_share != PolicyVersion.Share.NONE
            or self.prices_each_outage
            or bool(self.others)
        )

    @property
    def prices_each_outage(self) -> bool:
        return self.version.fee_period == PolicyVersion.FeePeriod.OUTAGE

    @property
    def prices_period(self) -> bool:
        return self.version.basis == PolicyVersion.Basis.PERIOD

    @cached_property
    def others(self) -> tuple[int, ...]:
        """The other incidents of the period, where its total is priced.

        With periods of each subscription's own, all that may lie in one of them.
        """
        if not self.prices_period:
            return ()
        at = self.incident.started_at
        start, end = add_months(at, -LONGEST_INTERVAL), add_months(at, LONGEST_INTERVAL)
        if self.period is not None:
            start, end = self.period.start, self.period.end
        hit = Exposure.objects.filter(incident=OuterRef("pk"))
        found = Incident.objects.filter(Exists(hit), started_at__gte=start, started_at__lt=end)
        if not self.version.counts_maintenance:
            found = found.exclude(kind=Incident.Kind.MAINTENANCE)
        others = found.exclude(pk=self.incident.pk).order_by("pk")
        return tuple(others.values_list("pk", flat=True))

    @cached_property
    def scale(self) -> int:
        """Downtime is a whole number of parts of a millisecond: of so many.

        Weights have three decimals, shares of requests five, shares of customers six.
        """
        if not self.counts_outages:
            return 1
        return {
            PolicyVersion.Share.NONE: WEIGHTS_SCALE,
            PolicyVersion.Share.REQUESTS: WEIGHTS_SCALE * REQUESTS_SCALE,
            PolicyVersion.Share.CUSTOMERS: WEIGHTS_SCALE * CUSTOMERS_SCALE,
        }[PolicyVersion.Share(self.version.affected_share)]

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
