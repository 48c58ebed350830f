"""What an award was priced from, as its row and its policy version keep it for ever."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property

from compensation.explanations.downtime import Downtime, Part
from compensation.models import Award, PolicyVersion, Rule
from compensation.pricing.terms import MINUTE_MS

MILLISECOND = timedelta(milliseconds=1)
MONTHS = {"month": 1, "quarter": 3, "year": 12, "outage": 1}
# The incident began in the month that is the period.
ONE_MONTH = {PolicyVersion.FeePeriod.MONTH, PolicyVersion.FeePeriod.OUTAGE}
GIVES = {
    Award.Benefit.CREDIT: "credit",
    Award.Benefit.TRIAL: "trial_days",
    Award.Benefit.PRIORITY: "priority_days",
}


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

    @cached_property
    def downtime(self) -> Downtime:
        return Downtime(self.award, self.version, self.period_ms)

    @cached_property
    def parts(self) -> list[Part]:
        """Each with the rows that it was priced by."""
        return self.downtime.parts(self.rules)

    def giving(self, part: Part) -> list[Rule]:
        """Of the part's rows, those that give this benefit."""
        field = GIVES[Award.Benefit(self.award.benefit)]
        return [rule for rule in part.rules if getattr(rule, field)]

    @property
    def is_weighted(self) -> bool:
        """Whether the two impacts' seconds are shown with the weight between them."""
        has_weight = bool(self.award.partial_seconds) and self.version.partial_weight != 1
        return has_weight and not self.downtime.is_counted

    @cached_property
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
    def fee_months(self) -> int:
        """Of how many months the fee is that credits are counted from."""
        is_month = self.version.fee_base == PolicyVersion.FeeBase.MONTH
        return 1 if is_month else self.period_months

    @property
    def fee(self) -> Fraction:
        """That credits are counted from, exact."""
        return self.fee_of(self.fee_months)

    def fee_of(self, months: int) -> Fraction:
        return Fraction((self.award.fee_minor or 0) * months, self.interval_months)

    def promised(self, part: Part, rule: Rule) -> Fraction:
        """What one row gives for one part, exact."""
        value = Fraction(rule.credit_value or 0)
        kinds = Rule.Credit
        if rule.credit == kinds.PERCENT:
            return self.fee * value / 100
        if rule.credit == kinds.TIME_MULTIPLE:
            return self.fee * value * part.down / part.period
        if rule.credit == kinds.STEP:
            return self.fee * value * self.steps(part, rule) / 100
        if rule.credit == kinds.HOURS:
            return self.fee_of(1) * value / self.fee_hours(rule)
        if rule.credit == kinds.FIXED:
            return Fraction(rule.credit_amounts.get(self.award.currency, 0))
        return Fraction(0)

    @property
    def total(self) -> Fraction:
        """What the rows give together, before anything is taken away."""
        each = (
            self.promised(part, rule) for part in self.parts for rule in self.giving(part)
        )  # fmt: skip
        return sum(each, Fraction(0))

    def allowance(self, part: Part, rule: Rule) -> Fraction:
        """Downtime that a row's steps leave out, in milliseconds."""
        if rule.allowance_uptime is not None:
            return (100 - Fraction(rule.allowance_uptime)) * part.period / 100
        return Fraction(rule.allowance_minutes or 0) * MINUTE_MS

    def steps(self, part: Part, rule: Rule) -> int:
        """How many steps of downtime are beyond the allowance."""
        length = Fraction(rule.step_minutes or 1) * MINUTE_MS
        whole, rest = divmod(part.down - self.allowance(part, rule), length)
        is_started = rule.step_counts == Rule.Step.STARTED and rest > 0
        return max(int(whole) + is_started, 0)

    def fee_hours(self, rule: Rule) -> int:
        """The hours that a month's fee pays for: as said, or the calendar month's own."""
        if rule.fee_hours is not None:
            return rule.fee_hours
        at = self.award.period_start
        if self.version.fee_period not in ONE_MONTH and self.award.incident is not None:
            at = self.award.incident.started_at
        assert at is not None  # noqa: S101 - see `of`
        return 24 * monthrange(at.year, at.month)[1]

    @property
    def given_by_batches(self) -> int:
        """What was taken away because batches had given it for the period, in minor units.

        Not frozen itself, but it is the difference of what is.
        """
        raw = self.award.raw_amount
        if self.version.basis != PolicyVersion.Basis.PERIOD or raw is None:
            return 0
        return max(round(self.total - Fraction(raw)), 0)

    @property
    def days_promised(self) -> int:
        """Of service, by all rows and parts, before what was given and the cap."""
        return sum(rule.trial_days for part in self.parts for rule in self.giving(part))

    @property
    def is_capped(self) -> bool:
        """Whether a cap took something away (rounding alone takes less than one step)."""
        if self.award.cap_minor is None or self.award.raw_amount is None:
            return False
        return self.award.raw_amount > self.award.cap_minor - self.award.given_minor


def shown(value: Fraction) -> Decimal:
    """Minor units with at most four decimals."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
