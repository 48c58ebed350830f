"""Which rows of a policy's table an exposure fits, as conditions of the database's own."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from math import ceil, floor
from operator import and_

from django.db.models import DecimalField, F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from backoffice.customers.conditions import parse_condition, prefix_condition
from compensation.models import PolicyVersion, Rule
from compensation.pricing.periods import Period, tenure_cutoff
from compensation.pricing.terms import MINUTE_MS, Terms

EVERYONE = Q(customer__isnull=False)
NOBODY = Q(customer__isnull=True)


@dataclass(frozen=True)
class Downtime:
    """Compares an exposure's uptime and downtime with bounds, in whole numbers, not dividing.

    uptime = 100 x (period - downtime) / period, where downtime counts at most the whole period.
    `period` is None where each row has a period of its own (`lasting`). Downtime is in parts of a
    millisecond, `scale` of them; uptime is rounded to `decimals` first, if there are any.
    """

    period: Period | None
    scale: int = 1
    decimals: int | None = None
    rounding: str = PolicyVersion.UptimeRounding.HALF_UP

    @classmethod
    def of(cls, terms: Terms) -> "Downtime":
        version = terms.version
        return cls(terms.period, terms.scale, version.uptime_decimals, version.uptime_rounding)

    def uptime_above(self, bound: Decimal, *, inclusive: bool) -> Q:
        """Uptime is above `bound`: downtime is below what the bound allows."""
        least, inclusive = self._exact(bound, inclusive=inclusive)
        if least <= 0:
            return EVERYONE if inclusive or least < 0 else self._down("lt", Fraction(1))
        return self._down("lte" if inclusive else "lt", _share_down(least))

    def uptime_below(self, bound: Decimal, *, inclusive: bool) -> Q:
        """Uptime is below `bound`: downtime is above what the bound allows."""
        # it is below where it is not above
        least, opposite = self._exact(bound, inclusive=not inclusive)
        if least < 0 or (least == 0 and opposite):
            return NOBODY
        return self._down("gt" if opposite else "gte", _share_down(least))

    def minutes(self, operator: str, minutes: Decimal) -> Q:
        """Minutes have three decimals, so these are whole."""
        return Q(**{f"downtime__{operator}": int(minutes * MINUTE_MS) * self.scale})

    def _exact(self, bound: Decimal, *, inclusive: bool) -> tuple[Fraction, bool]:
        """From where on the exact uptime is, rounded, at least (or above) `bound`."""
        if self.decimals is None:
            return Fraction(bound), inclusive
        grid = Fraction(1, 10**self.decimals)
        # The first value on the grid that will do.
        first = ceil(Fraction(bound) / grid) if inclusive else floor(Fraction(bound) / grid) + 1
        return {
            PolicyVersion.UptimeRounding.HALF_UP: ((first - Fraction(1, 2)) * grid, True),
            PolicyVersion.UptimeRounding.DOWN: (first * grid, True),
            PolicyVersion.UptimeRounding.UP: ((first - 1) * grid, False),
        }[PolicyVersion.UptimeRounding(self.rounding)]

    def _down(self, operator: str, share: Fraction) -> Q:
        if self.period is None:
            return self._compare_rows(operator, share)
        allowed = share * self.period.milliseconds * self.scale
        # Downtime is a whole number, so the nearest whole number on the right side will do.
        bound = floor(allowed) if operator in {"lte", "gt"} else ceil(allowed)
        return Q(**{f"downtime__{operator}": bound})

    def _compare_rows(self, operator: str, share: Fraction) -> Q:
        """`downtime` against this share of each row's own period, both made whole."""
        part = _whole("lasting") * (share.numerator * self.scale)
        return Q(LOOKUPS[operator](_whole("downtime") * share.denominator, part))


LOOKUPS = {"lt": LessThan, "lte": LessThanOrEqual, "gt": GreaterThan, "gte": GreaterThanOrEqual}


def _share_down(bound: Fraction) -> Fraction:
    return 1 - bound / 100


def _whole(name: str) -> Combinable:
    """Parts of milliseconds of years times a bound do not fit into 64 bits."""
    return Cast(F(name), DecimalField(max_digits=60, decimal_places=0))


def fits(rule: Rule, *, downtime: Downtime, at: datetime) -> Q:
    """The condition under which an exposure of an incident begun at `at` fits `rule`.

    An exposure without subscription fits only rows that ask nothing of the subscription.

    Raises:
        ConditionError: the row's further condition cannot be understood.
    """
    parts = [*_who(rule), *_since(rule, at), *_how_long(rule, downtime)]
    if rule.condition.strip():
        parts += [Q(subscription__isnull=False), _further(rule.condition)]
    return reduce(and_, parts, Q()) or EVERYONE


def _who(rule: Rule) -> list[Q]:
    wanted = {
        "subscription__plan__in": rule.plans,
        "customer__country__in": rule.countries,
        "customer__segment__in": rule.segments,
        "subscription__status__in": rule.statuses,
    }
    return [Q(**{lookup: values}) for lookup, values in wanted.items() if values]


def _since(rule: Rule, at: datetime) -> list[Q]:
    parts = []
    if rule.tenure_months_from is not None:
        parts.append(Q(subscription__started_at__lt=tenure_cutoff(at, rule.tenure_months_from)))
    if rule.tenure_months_to is not None:
        parts.append(Q(subscription__started_at__gte=tenure_cutoff(at, rule.tenure_months_to)))
    return parts


def _how_long(rule: Rule, downtime: Downtime) -> list[Q]:
    parts = []
    if rule.uptime_from is not None:
        parts.append(downtime.uptime_above(rule.uptime_from, inclusive=rule.uptime_from_inclusive))
    if rule.uptime_to is not None:
        parts.append(downtime.uptime_below(rule.uptime_to, inclusive=rule.uptime_to_inclusive))
    if rule.minutes_from is not None:
        operator = "gte" if rule.minutes_from_inclusive else "gt"
        parts.append(downtime.minutes(operator, rule.minutes_from))
    if rule.minutes_to is not None:
        operator = "lte" if rule.minutes_to_inclusive else "lt"
        parts.append(downtime.minutes(operator, rule.minutes_to))
    return parts


def _further(condition: str) -> Q:
    """Values that nobody has any more are no error here: the condition is in force."""
    return prefix_condition(parse_condition(condition, check_values=False), "subscription__")
