"""Downtime of an award as its policy counted it, from what the award froze.

Everything is in milliseconds and exact; only what lies within the period counts.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction
from functools import cached_property

from compensation.models import Award, PolicyVersion, Rule
from compensation.pricing.terms import MINUTE_MS

UPTIME_ROUNDINGS = {
    PolicyVersion.UptimeRounding.HALF_UP: ROUND_HALF_UP,
    PolicyVersion.UptimeRounding.DOWN: ROUND_DOWN,
    PolicyVersion.UptimeRounding.UP: ROUND_UP,
}


@dataclass(frozen=True)
class LivedOutage:
    """One outage as the subscription lived it: its length, as weighed, and what counted of it."""

    length: Fraction
    weighed: Fraction
    counted: Fraction
    is_too_short: bool


@dataclass(frozen=True)
class Part:
    """What was priced at once: a downtime, and the rows that fitted it."""

    down: Fraction
    period: int
    version: PolicyVersion
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, down: Fraction, period: int, version: PolicyVersion, rules: list[Rule]) -> "Part":
        """Of `rules`, all of which fit the award, those that fit this downtime."""
        part = cls(min(down, Fraction(period)), period, version, ())
        fitting = [rule for rule in rules if part.fits(rule, down)]
        if version.hit_policy == PolicyVersion.HitPolicy.FIRST:
            fitting = fitting[:1]
        return cls(part.down, period, version, tuple(fitting))

    @property
    def uptime(self) -> Fraction:
        """In percent, exact."""
        return Fraction(100) * (self.period - self.down) / self.period

    @property
    def uptime_compared(self) -> Fraction:
        """As rows compare it."""
        rounded = self.uptime_rounded
        return self.uptime if rounded is None else Fraction(rounded)

    @property
    def uptime_rounded(self) -> Decimal | None:
        """None where the policy does not round it."""
        decimals = self.version.uptime_decimals
        if decimals is None:
            return None
        how = UPTIME_ROUNDINGS[PolicyVersion.UptimeRounding(self.version.uptime_rounding)]
        whole, rest = divmod(self.uptime * 10**decimals, 1)
        is_up = (how == ROUND_UP and rest > 0) or (how == ROUND_HALF_UP and 2 * rest >= 1)
        return Decimal(int(whole) + is_up).scaleb(-decimals)

    def fits(self, rule: Rule, down: Fraction) -> bool:
        """By time; whom a row is for does not differ between the parts of an award.

        Minutes are compared as a whole (`down`), also those beyond the period.
        """
        return _within(rule, "uptime", self.uptime_compared) and _within(
            rule, "minutes", down / MINUTE_MS
        )


def _within(rule: Rule, name: str, value: Fraction) -> bool:
    low, high = getattr(rule, f"{name}_from"), getattr(rule, f"{name}_to")
    if low is not None and not (
        value > low or (getattr(rule, f"{name}_from_inclusive") and value == Fraction(low))
    ):
        return False
    return high is None or (
        value < high or (getattr(rule, f"{name}_to_inclusive") and value == Fraction(high))
    )


@dataclass(frozen=True)
class Downtime:
    """An award's downtime under its version."""

    award: Award
    version: PolicyVersion
    period_ms: int

    @cached_property
    def outages(self) -> list[LivedOutage]:
        """In order of time; none where seconds and weights tell it all."""
        rows = (self.award.counted or {}).get("outages", [])
        return [self._outage(*(Fraction(str(value)) for value in row)) for row in rows]

    def _outage(self, length: Fraction, weighed: Fraction, counted: Fraction) -> LivedOutage:
        shortest = self.version.shortest_minutes
        is_short = False
        if shortest is not None:
            bound = Fraction(shortest) * MINUTE_MS
            is_short = length < bound or (length == bound and self.version.is_shortest_exclusive)
        return LivedOutage(length, weighed, counted, is_too_short=is_short)

    @property
    def counting(self) -> list[LivedOutage]:
        return [outage for outage in self.outages if outage.counted > 0]

    @property
    def share(self) -> Decimal | None:
        """Of customers, where they weighed; of requests each outage has its own."""
        share = (self.award.counted or {}).get("share")
        return None if share is None else Decimal(str(share))

    @property
    def incidents(self) -> int:
        """How many of the period went into it."""
        return int((self.award.counted or {}).get("incidents", 1))

    @property
    def is_by_outage(self) -> bool:
        return self.version.fee_period == PolicyVersion.FeePeriod.OUTAGE

    @property
    def is_counted(self) -> bool:
        """Whether it was taken from outages, not from seconds."""
        return self.award.counted is not None

    @property
    def total(self) -> Fraction:
        """At most the period; of several outages priced by themselves their sum."""
        return min(self._unbounded, Fraction(self.period_ms))

    @property
    def _unbounded(self) -> Fraction:
        award = self.award
        if self.is_counted:
            return sum((outage.counted for outage in self.outages), Fraction(0))
        if award.downtime_ms is not None:
            return Fraction(award.downtime_ms)
        weight = Fraction(self.version.partial_weight)
        return (award.major_seconds + award.partial_seconds * weight) * 1000

    def parts(self, rules: list[Rule]) -> list[Part]:
        """What was priced: each outage by itself, or all at once."""
        if self.is_by_outage and self.counting:
            return [
                Part.of(outage.counted, self.period_ms, self.version, rules)
                for outage in self.counting
            ]
        whole = Part(self.total, self.period_ms, self.version, tuple(rules))
        return [whole]
