"""What an award was priced from, as its row and its policy version keep it for ever."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from compensation.models import Award, PolicyVersion, Rule

MILLISECOND = timedelta(milliseconds=1)
MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Sum:
    """The figures of one award of a batch. Times in milliseconds, money in minor units."""

    award: Award
    version: PolicyVersion
    rules: list[Rule]
    period_ms: int

    @classmethod
    def of(cls, award: Award) -> "Sum | None":
        """None where the award was not priced: goodwill."""
        version = award.batch.version if award.batch else None
        if version is None or award.period_start is None or award.period_end is None:
            return None
        # Read through all(), so that a page of awards can prefetch the rows.
        rules = [rule for rule in version.rules.all() if rule.position in award.rules]
        return cls(award, version, rules, (award.period_end - award.period_start) // MILLISECOND)

    @property
    def down_ms(self) -> int:
        """As weighted, and at most the whole period."""
        permille = int(self.version.partial_weight * 1000)
        down = self.award.major_seconds * 1000 + self.award.partial_seconds * permille
        return min(down, self.period_ms)

    @property
    def is_weighted(self) -> bool:
        return bool(self.award.partial_seconds) and self.version.partial_weight != 1

    @property
    def uptime(self) -> Fraction:
        """In percent, exact."""
        return Fraction(100 * (self.period_ms - self.down_ms), self.period_ms)

    @property
    def bounds(self) -> list[Decimal]:
        """Every bound of uptime in the version: the shown uptime must not touch another's."""
        rules = self.version.rules.all()
        bounds = [bound for rule in rules for bound in (rule.uptime_from, rule.uptime_to)]
        return [bound for bound in bounds if bound is not None]

    @property
    def interval_months(self) -> int:
        return self.award.interval_months or 1

    @property
    def period_months(self) -> int:
        """How many months of the fee the period takes.

        A billing period takes one interval; where none was known, the calendar month was taken.
        """
        fixed = MONTHS.get(self.version.fee_period)
        if fixed is not None:
            return fixed
        start, end = self.award.period_start, self.award.period_end
        assert start is not None and end is not None  # noqa: PT018, S101 - see `of`
        is_month = start.day == end.day == 1 and (end - start).days <= 31  # noqa: PLR2004
        return 1 if is_month else self.interval_months

    @property
    def fee(self) -> Fraction:
        """Of the period, exact."""
        return Fraction((self.award.fee_minor or 0) * self.period_months, self.interval_months)

    @property
    def fee_shown(self) -> Decimal:
        """The same with at most four decimals of a minor unit."""
        exact = Decimal(self.fee.numerator) / Decimal(self.fee.denominator)
        return exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)

    @property
    def is_capped(self) -> bool:
        """Whether a cap took something away (rounding alone takes less than one step)."""
        if self.award.cap_minor is None or self.award.raw_amount is None:
            return False
        return self.award.raw_amount > self.award.cap_minor - self.award.given_minor
