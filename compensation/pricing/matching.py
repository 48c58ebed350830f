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
from compensation.models import Rule
from compensation.pricing.periods import Period, tenure_cutoff

MILLISECONDS_A_MINUTE = 60_000
# Bounds of uptime have six decimals: 100 % times this is a whole number.
UPTIME_SCALE = 10**6
EVERYONE = Q(customer__isnull=False)
NOBODY = Q(customer__isnull=True)


@dataclass(frozen=True)
class Uptime:
    """Compares the uptime of an exposure with a bound, in whole numbers and without dividing.

    uptime = 100 x (period - downtime) / period, where downtime counts at most the whole period.
    `period` is None where each row has a period of its own (`lasting`).
    """

    period: Period | None

    def above(self, bound: Decimal, *, inclusive: bool) -> Q:
        """Uptime is above `bound`: downtime is below what the bound allows."""
        if bound <= 0:
            return EVERYONE if inclusive or bound < 0 else self._down("lt", Fraction(1))
        return self._down("lte" if inclusive else "lt", _share_down(bound))

    def below(self, bound: Decimal, *, inclusive: bool) -> Q:
        """Uptime is below `bound`: downtime is above what the bound allows."""
        if bound < 0 or (bound == 0 and not inclusive):
            return NOBODY
        return self._down("gte" if inclusive else "gt", _share_down(bound))

    def _down(self, operator: str, share: Fraction) -> Q:
        if self.period is None:
            return _compare_rows(operator, share)
        allowed = share * self.period.milliseconds
        # Downtime is a whole number, so the nearest whole number on the right side will do.
        bound = floor(allowed) if operator in {"lte", "gt"} else ceil(allowed)
        return Q(**{f"downtime__{operator}": bound})


def _share_down(bound: Decimal) -> Fraction:
    return 1 - Fraction(bound) / 100


def _compare_rows(operator: str, share: Fraction) -> Q:
    """`downtime` against this share of each row's own period, both made whole."""
    lookup = {
        "lt": LessThan,
        "lte": LessThanOrEqual,
        "gt": GreaterThan,
        "gte": GreaterThanOrEqual,
    }[operator]
    scale = 100 * UPTIME_SCALE
    return Q(lookup(_whole("downtime") * scale, _whole("lasting") * int(share * scale)))


def _whole(name: str) -> Combinable:
    """Milliseconds of years times 10^8 do not fit into 64 bits."""
    return Cast(F(name), DecimalField(max_digits=40, decimal_places=0))


def fits(rule: Rule, *, uptime: Uptime, at: datetime) -> Q:
    """The condition under which an exposure of an incident begun at `at` fits `rule`.

    An exposure without subscription fits only rows that ask nothing of the subscription.

    Raises:
        ConditionError: the row's further condition cannot be understood.
    """
    parts = [*_who(rule), *_since(rule, at), *_how_long(rule, uptime)]
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


def _how_long(rule: Rule, uptime: Uptime) -> list[Q]:
    parts = []
    if rule.uptime_from is not None:
        parts.append(uptime.above(rule.uptime_from, inclusive=rule.uptime_from_inclusive))
    if rule.uptime_to is not None:
        parts.append(uptime.below(rule.uptime_to, inclusive=rule.uptime_to_inclusive))
    if rule.minutes_from is not None:
        operator = "gte" if rule.minutes_from_inclusive else "gt"
        parts.append(Q(**{f"downtime__{operator}": _milliseconds(rule.minutes_from)}))
    if rule.minutes_to is not None:
        operator = "lte" if rule.minutes_to_inclusive else "lt"
        parts.append(Q(**{f"downtime__{operator}": _milliseconds(rule.minutes_to)}))
    return parts


def _milliseconds(minutes: Decimal) -> int:
    """Minutes have three decimals, so this is whole."""
    return int(minutes * MILLISECONDS_A_MINUTE)


def _further(condition: str) -> Q:
    """Values that nobody has any more are no error here: the condition is in force."""
    return prefix_condition(parse_condition(condition, check_values=False), "subscription__")
