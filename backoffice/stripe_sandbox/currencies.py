"""The currencies that Stripe takes, and how many decimals their minor units have.

Source: https://docs.stripe.com/currencies. Codes in lower case, as the API spells them.
"""

from backoffice.stripe_sandbox.errors import invalid

_KNOWN = """
usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd
cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd
hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl
mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr
pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd
tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw
"""
_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
KNOWN = frozenset(_KNOWN.split())
ZERO_DECIMAL = frozenset(_ZERO_DECIMAL.split())
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})

LARGEST_AMOUNT = 99_999_999
"""Eight digits in minor units, the bound Stripe states for most currencies."""


def decimals(currency: str) -> int:
    """How many digits of an amount in minor units stand behind the point."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def checked(value: str, param: str) -> str:
    """The currency in lower case; refused with 400 when Stripe doesn't know it."""
    code = value.lower()
    if code not in KNOWN:
        some = ", ".join(sorted(KNOWN)[:12])
        raise invalid(
            f"Invalid currency: {code}. Stripe currently supports these currencies: {some}, ...",
            param,
        )
    return code


def check_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Refuse what is too large, and fractions too small for a three-decimal currency."""
    if abs(amount) > LARGEST_AMOUNT:
        raise invalid(
            "Amount must be no more than 99999999 in the smallest currency unit.",
            param,
            code="amount_too_large",
        )
    if currency in THREE_DECIMAL and amount % 10:
        raise invalid(
            f"Invalid amount: the least-significant digit must be 0 in {currency}.",
            param,
            code="parameter_invalid_integer",
        )
