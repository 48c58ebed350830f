"""What a row's benefit comes to, as fractions of whole numbers, rounded once at the end.

Everything here is SQL over the columns of `matched m`. Percentages and multiples have four
decimals, so they come as whole ten-thousandths; amounts are in minor units.
"""

from typing import NamedTuple

from backoffice.money import THREE_DECIMAL
from compensation.models import PolicyVersion, Rule
from compensation.pricing.terms import Terms

RATE_SCALE = 10_000
CAP_SCALE = 1_000
FEE = "COALESCE(m.fee_minor, 0)::numeric * m.period_months"
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

    fee x period months / interval months x (percent / 100 + multiple x downtime / period) + fixed.
    Downtime counts at most the whole period.
    """
    share, whole = "m.percent", f"{INTERVAL} * {100 * RATE_SCALE}"
    if terms.uses(Rule.Credit.TIME_MULTIPLE):
        lost = "LEAST(m.downtime, m.period_ms)"
        share = f"(m.percent * m.period_ms + 100 * m.multiple * {lost})"
        whole = f"{whole} * m.period_ms"
    numerator = f"{FEE} * {share}"
    if terms.uses(Rule.Credit.FIXED):
        numerator = f"{numerator} + m.fixed * {whole}"
    return Fraction(numerator, whole)


def subscription_cap(version: PolicyVersion) -> Fraction:
    """`cap_percent` (three decimals) of the period's fee."""
    if version.cap_percent is None:
        return Fraction("NULL::numeric", "NULL::numeric")
    share = int(version.cap_percent * CAP_SCALE)
    return Fraction(f"{FEE} * {share}", f"{INTERVAL} * {100 * CAP_SCALE}")


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
