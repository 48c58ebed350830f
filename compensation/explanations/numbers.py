"""Numbers as a reader of a language writes them; never rounded towards a promise."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from babel.dates import format_date
from babel.numbers import format_decimal

from backoffice.money import format_money, to_major
from compensation.explanations.words import WORDS

MILLISECONDS_A_SECOND = 1000
MOST_DIGITS = 9


@dataclass(frozen=True)
class Writer:
    """Writes in one language and currency."""

    language: str
    currency: str

    def say(self, word: str, **values: object) -> str:
        return WORDS[self.language][word].format(**values)

    def number(self, value: Decimal | int) -> str:
        value = Decimal(value)
        plain = value.quantize(Decimal(1)) if value == value.to_integral() else value.normalize()
        return str(format_decimal(plain, locale=self.language, decimal_quantization=False))

    def percent(self, value: Decimal) -> str:
        return f"{self.number(value)} %"

    def money(self, amount_minor: int) -> str:
        return format_money(amount_minor, self.currency, self.language)

    def exact_money(self, amount_minor: Decimal) -> str:
        """With all the digits below the minor unit that there are."""
        if amount_minor == amount_minor.to_integral():
            return self.money(int(amount_minor))
        return f"{self.currency} {self.number(to_major(1, self.currency) * amount_minor)}"

    def uptime(self, value: Fraction, bounds: list[Decimal]) -> str:
        """Percent, cut off after three decimals, or as many as tell it from `bounds`."""
        for digits in range(3, MOST_DIGITS + 1):
            shown = _cut(value, digits)
            if all((shown == bound) == (value == bound) for bound in bounds):
                break
        pattern = f"#,##0.{'0' * digits}" if value.denominator != 1 else "#,##0.###"
        text = format_decimal(shown, format=pattern, locale=self.language)
        return f"{text} %"

    def minutes(self, milliseconds: Fraction | int) -> str:
        """Whole minutes, and seconds where there are some (parts of a second are cut off)."""
        minutes, seconds = divmod(int(milliseconds) // MILLISECONDS_A_SECOND, 60)
        if seconds:
            return self.say("minutes_seconds", n=self.number(minutes), s=seconds)
        if minutes == 1:
            return self.say("minute")
        return self.say("minutes", n=self.number(minutes))

    def day(self, at: datetime) -> str:
        """The day in UTC."""
        return str(format_date(at, format="long", locale=self.language))

    def last_day(self, before: datetime) -> str:
        return self.day(before - timedelta(microseconds=1))


def _cut(value: Fraction, digits: int) -> Decimal:
    exact = Decimal(value.numerator * 10**digits // value.denominator)
    return exact.scaleb(-digits).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_DOWN)
