"""What a comparison comes to: differences, and the sums that they explain."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which Stripe and our books differ; see `Finding` for signs and units.

    `identity` is the same whenever the same difference is found.
    """

    identity: str
    kind: str
    customer: int
    award: int | None = None
    stripe_id: str = ""
    stripe_customer: str = ""
    currency: str = ""
    ours_minor: int = 0
    stripe_minor: int = 0
    stripe_currency: str = ""
    our_date: datetime | None = None
    stripe_date: datetime | None = None
    detail: str = ""

    @property
    def difference_minor(self) -> int:
        """Stripe's minus ours, in `currency`."""
        stripe_minor = 0 if self.stripe_currency else self.stripe_minor
        return stripe_minor - self.ours_minor

    def effects(self) -> dict[str, int]:
        """How it moves Stripe's sum away from ours, by currency."""
        effects = {self.currency: self.difference_minor} if self.currency else {}
        if self.stripe_currency:
            effects[self.stripe_currency] = self.stripe_minor
        return effects


@dataclass(slots=True)
class Line:
    """One currency's sums, in minor units; plus is credit that customers have.

    `stripe - ours == found + under_way + not_ours`, to the cent: what differs is found, or on its
    way, or none of our business (credit that others gave, used on an invoice). `accepted` is the
    part of `found` that people have accepted.
    """

    ours: int = 0
    stripe: int = 0
    found: int = 0
    accepted: int = 0
    under_way: int = 0
    not_ours: int = 0

    @property
    def difference(self) -> int:
        return self.stripe - self.ours

    @property
    def unexplained(self) -> int:
        return self.difference - self.found - self.under_way - self.not_ours

    def as_dict(self) -> dict[str, int]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def of(cls, kept: Mapping[str, int]) -> Self:
        return cls(**{each.name: kept.get(each.name, 0) for each in fields(cls)})

    def add(self, other: "Line") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(slots=True)
class Comparison:
    """One customer, compared."""

    customer: int
    differences: list[Difference] = field(default_factory=list)
    lines: dict[str, Line] = field(default_factory=lambda: defaultdict(Line))
    awards: int = 0
    transactions: int = 0

    def differ(self, difference: Difference) -> None:
        """Note a difference, and what it explains of the sums."""
        self.differences.append(difference)
        for currency, effect in difference.effects().items():
            self.lines[currency].found += effect
