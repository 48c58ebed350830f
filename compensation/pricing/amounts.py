"""What a row's benefit comes to, as fractions of whole numbers, rounded once at the end.

Everything here is SQL over the columns of `matched m`. Percentages and multiples have four
decimals, so they come as whole ten-thousandths; amounts are in minor units.
"""

from math import lcm
from typing import NamedTuple

from backoffice.money import THREE_DECIMAL
from compensation.models import PolicyVersion, Rule
from compensation.pricing.periods import calendar_period
from compensation.pricing.terms import HOUR_MS, Terms

RATE_SCALE = 10_000
CAP_SCALE = 1_000
MONTHLY_FEE = "COALESCE(m.fee_minor, 0)::numeric"
INTERVAL = "COALESCE(m.interval_months, 1)::numeric"
# The smallest step of the row's currency in minor units.
STEP = "CASE WHEN m.currency IN ({}) THEN 10 ELSE 1 END".format(
    ", ".join(f"'{code}'" for code in sorted(THREE_DECIMAL))
)


class Fraction(NamedTuple):
    """SQL of a numerator and of a denominator, both whole."""

    numerator: str
    denominator: str


def credit(terms: Terms) -> Fraction:
    """What the fitting rows promise together, before caps.

    fee x (percent / 100 + multiple x downtime / period) + month's fee x hours / hours of a month
    + fixed, where the fee is that of the period or of one month, and the month's fee is the
    interval's fee / interval months. Downtime counts at most the whole period.
    """
    whole, share = f"{INTERVAL} * {100 * RATE_SCALE}", "m.percent"
    by_time = f" * m.period_ms * {terms.scale}" if terms.uses(Rule.Credit.TIME_MULTIPLE) else ""
    by_hours = f" * {_months_parts(terms)}" if terms.uses(Rule.Credit.HOURS) else ""
    if by_time:
        share = f"(m.percent{by_time} + 100 * m.lost)"
    numerator = f"{_fee(terms.version)} * {share}{by_hours}"
    if by_hours:
        numerator += f" + {MONTHLY_FEE} * 100 * m.hours{by_time}"
    whole += by_time + by_hours
    if terms.uses(Rule.Credit.FIXED):
        numerator += f" + m.fixed * {whole}"
    return Fraction(numerator, whole)


def _fee(version: PolicyVersion) -> str:
    """That credits are counted from; still to be divided by the months of its interval."""
    if version.fee_base == PolicyVersion.FeeBase.MONTH:
        return MONTHLY_FEE
    return f"{MONTHLY_FEE} * m.period_months"


def hour_parts(terms: Terms, rule: Rule) -> int:
    """An hour of a month's fee under `rule`, in `_months_parts`; 0 where it gives no hours."""
    if rule.credit != Rule.Credit.HOURS:
        return 0
    return _months_parts(terms) // _month_ms(terms, rule) * HOUR_MS


def _months_parts(terms: Terms) -> int:
    """Into how many parts a month's fee is cut, so that every row's hours are whole parts."""
    rows = (rule for rule in terms.rules if rule.credit == Rule.Credit.HOURS)
    return lcm(*(_month_ms(terms, rule) for rule in rows))


def _month_ms(terms: Terms, rule: Rule) -> int:
    """How long a month's fee pays for: as said, or the month in which the incident began."""
    if rule.fee_hours is not None:
        return rule.fee_hours * HOUR_MS
    period = terms.period_override
    if period is None or period.months != 1:
        period = calendar_period(terms.incident.started_at, PolicyVersion.FeePeriod.MONTH)
    return period.milliseconds


def subscription_cap(version: PolicyVersion) -> Fraction:
    """`cap_percent` (three decimals) of the fee that credits are counted from."""
    if version.cap_percent is None:
        return Fraction("NULL::numeric", "NULL::numeric")
    share = int(version.cap_percent * CAP_SCALE)
    return Fraction(f"{_fee(version)} * {share}", f"{INTERVAL} * {100 * CAP_SCALE}")


def rounded(numerator: str, denominator: str, rounding: str) -> str:
    """A fraction (not negative) in whole steps of the column `step`.

    `div` of whole numerics is exact, which `/` is not.
    """
    n, d = numerator, f"({denominator} * step)"
    half_up = f"div(2 * {n} + {d}, 2 * {d})"
    steps = {
        PolicyVersion.Rounding.UNSAID: half_up,
        PolicyVersion.Rounding.HALF_UP: half_up,
        PolicyVersion.Rounding.DOWN: f"div({n}, {d})",
        PolicyVersion.Rounding.UP: f"div({n} + {d} - 1, {d})",
        # On a tie, half up is one too many where it is odd.
        PolicyVersion.Rounding.HALF_EVEN: f"""({half_up}
            - CASE WHEN mod(2 * {n} + {d}, 2 * {d}) = 0 THEN mod({half_up}, 2) ELSE 0 END)""",
    }
    return f"({steps[PolicyVersion.Rounding(rounding)]} * step)"


def of_currency(amounts: dict[str, int]) -> str:
    """The amount set for the row's currency, or NULL."""
    whens = " ".join(
        f"WHEN '{code(currency)}' THEN {int(amount)}" for currency, amount in amounts.items()
    )
    return f"CASE currency {whens} END::bigint"


def code(currency: str) -> str:
    """`currency`, which is about to be written into SQL.

    Raises:
        ValueError: it is no code of letters and digits.
    """
    if not (currency.isascii() and currency.isalnum()):
        raise ValueError(f"“{currency}” is not a currency.")
    return currency
