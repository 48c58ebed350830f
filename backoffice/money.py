"""Minor units and currencies: the one place that knows how many digits a currency has."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from babel.numbers import format_currency, list_currencies
from django.core.exceptions import ValidationError

# Stripe counts these without minor units (https://docs.stripe.com/currencies#zero-decimal) ...
ZERO_DECIMAL = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
# ... and these in thousandths, of which the last digit must be 0.
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

# Stripe's largest amount has eight digits.
LARGEST_AMOUNT_MINOR = 99_999_999


def minor_digits(currency: str) -> int:
    """How many decimal digits Stripe's minor unit of `currency` (ISO 4217, upper case) has."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def granularity_minor(currency: str) -> int:
    """The smallest step an amount can move by, in minor units: 10 where the last digit is 0."""
    return 10 if currency in THREE_DECIMAL else 1


def validate_currency(value: str) -> None:
    """Raise ValidationError unless `value` is an ISO 4217 code in upper case."""
    if value not in list_currencies():
        raise ValidationError(
            "“%(value)s” is not a currency: use a three-letter code such as EUR.",
            code="currency",
            params={"value": value},
        )


def to_minor(amount: str | Decimal, currency: str) -> int:
    """`amount` in major units ("29.85") as minor units (2985), rounded half up.

    Raises:
        ValueError: `amount` is no finite decimal number.
    """
    try:
        number = Decimal(amount)
    except InvalidOperation:
        raise ValueError(f"“{amount}” is not an amount: write it like 29.85.") from None
    if not number.is_finite():
        raise ValueError(f"“{amount}” is not an amount: write it like 29.85.")
    step = granularity_minor(currency)
    scaled = number.scaleb(minor_digits(currency)) / step
    return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP)) * step


def to_major(amount_minor: int, currency: str) -> Decimal:
    """Minor units (2985) as an exact decimal in major units (29.85)."""
    return Decimal(amount_minor).scaleb(-minor_digits(currency))


def format_money(amount_minor: int, currency: str, language: str = "en") -> str:
    """`amount_minor` as a reader of `language` writes it: "EUR 49.90", "49,90 EUR".

    The code stands instead of the sign: a dollar sign does not say whose dollar it is.
    """
    digits = minor_digits(currency)
    fraction = f".{'0' * digits}" if digits else ""
    pattern = f"#,##0{fraction} ¤¤" if language in {"de", "ru"} else f"¤¤ #,##0{fraction}"
    return format_currency(
        to_major(amount_minor, currency),
        currency,
        format=pattern,
        locale=language,
        currency_digits=False,
    )
