"""What came out of an example, beside what it expects."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from compensation.coverage import UPTIME, Hole
from compensation.models import PolicyExample, PolicyVersion
from compensation.pricing.terms import MINUTE_MS


@dataclass(frozen=True)
class Result:
    """What an example came to: credit (minor units of its currency) and days of service.

    `rules` are the positions of the rows that gave it. `downtime_ms` and `period_ms` are as
    pricing counted them (of the longest outage, where each outage is priced by itself). `hole` is
    what lint flags there, where the published text does not say what is due.
    """

    example: PolicyExample
    got_minor: int
    got_days: int
    rules: tuple[int, ...]
    downtime_ms: Fraction
    period_ms: int
    hole: Hole | None = None
    uptime_decimals: int | None = None
    uptime_rounding: str = PolicyVersion.UptimeRounding.HALF_UP

    @property
    def uptime(self) -> Fraction:
        """Percent, as rows compare it: exact, or rounded as the version says."""
        down = min(self.downtime_ms, Fraction(self.period_ms))
        exact = 100 * (self.period_ms - down) / self.period_ms
        if self.uptime_decimals is None:
            return exact
        scaled = exact * 10**self.uptime_decimals
        whole = {
            PolicyVersion.UptimeRounding.HALF_UP: floor(scaled + Fraction(1, 2)),
            PolicyVersion.UptimeRounding.DOWN: floor(scaled),
            PolicyVersion.UptimeRounding.UP: ceil(scaled),
        }[PolicyVersion.UptimeRounding(self.uptime_rounding)]
        return Fraction(whole, 10**self.uptime_decimals)

    @property
    def expects_nothing_said(self) -> bool:
        """The published text does not say what is due."""
        return self.example.expected_minor is None and self.example.expected_days is None

    @property
    def is_exact(self) -> bool:
        """Whether it is what the example expects; of a hole: nothing given, and the hole told."""
        if self.example.expected_days is not None:
            return self.got_days == self.example.expected_days
        if self.example.expected_minor is not None:
            return self.got_minor == self.example.expected_minor
        return self.hole is not None and not (self.got_minor or self.got_days)

    def beside(self, holes: Iterable[Hole]) -> "Result":
        """With the one of `holes` that it lies in, if any."""
        minutes = self.downtime_ms / MINUTE_MS
        for hole in holes:
            value = self.uptime if hole.axis is UPTIME else minutes
            if hole.range.holds(value):
                return replace(self, hole=hole)
        return self
