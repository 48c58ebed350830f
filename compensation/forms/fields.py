"""What finance types: amounts in major units, lists between commas, months, minutes.

Amounts are typed in major units ("EUR 10.00, USD 12.00") and kept in minor ones.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.money import to_major, to_minor, validate_currency
from compensation.wording import number

AMOUNT = re.compile(r"([A-Za-z]{3})\s*(\d[\d,]*(?:\.\d+)?)\s*(?:[,;\n]|$)\s*")
ONE_AMOUNT = re.compile(
    r"([A-Za-z]{3})\s*(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s*([A-Za-z]{3})"
)
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?")
DAYS = re.compile(r"(\d{1,5})\s*(?:d|days?)", re.IGNORECASE)
MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")
LONGEST = 999_999_999  # minutes; what the database holds
LARGEST_MINOR = 10**14
YEARS = range(1990, 2101)


class AmountsField(forms.CharField):
    """EUR 10.00, USD 12.00 as {"EUR": 1000, "USD": 1200}."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return ", ".join(f"{code} {to_major(minor, code)}" for code, minor in sorted(value.items()))

    def clean(self, value: Any) -> dict[str, int]:
        text, found, place = str(value or "").strip(), {}, 0
        while place < len(text):
            match = AMOUNT.match(text, place)
            if match is None:
                raise ValidationError(
                    _("“{text}” is no amount: write EUR 10.00, USD 12.00.").format(
                        text=text[place:]
                    )
                )
            currency, place = match[1].upper(), match.end()
            if currency in found:
                raise ValidationError(_("{code} stands there twice.").format(code=currency))
            found[currency] = minor_of(match[2], currency)
        return found


def minor_of(amount: str, currency: str) -> int:
    """`amount` as typed, in minor units; raises ValidationError where there is no such fraction."""
    validate_currency(currency)
    number = amount.rstrip(",")
    if not THOUSANDS.fullmatch(number):
        raise ValidationError(_("“{text}” is no amount: write 1000.00.").format(text=amount))
    exact = Decimal(number.replace(",", ""))
    minor = to_minor(exact, currency)
    if minor > LARGEST_MINOR:
        raise ValidationError(_("{text} is more than can be counted.").format(text=number))
    if to_major(minor, currency) != exact:
        raise ValidationError(
            _("{code} has no such small fractions as in {text}.").format(code=currency, text=number)
        )
    return minor


class MoneyField(forms.CharField):
    """EUR 499.00 (or 499.00 EUR) as ("EUR", 49900)."""

    def clean(self, value: Any) -> tuple[str, int]:
        text = str(super().clean(value))
        match = ONE_AMOUNT.fullmatch(text)
        if match is None:
            raise ValidationError(_("“{text}” is no amount: write EUR 499.00.").format(text=text))
        currency = (match[1] or match[4]).upper()
        return currency, minor_of(match[2] or match[3], currency)


class ExpectedField(forms.CharField):
    """49.90 or EUR 49.90 as a credit, 15 days as days of service; empty where nothing is said."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> tuple[str, str]:
        """What is expected ("credit", "days" or "") and the text of it, with or without currency.

        The example's currency is not known here; see `credit_minor`.
        """
        text = str(super().clean(value)).strip()
        if not text or text.lower() == "not said":
            return "", ""
        if match := DAYS.fullmatch(text):
            return "days", match[1]
        return "credit", text


def credit_minor(text: str, currency: str) -> int:
    """The credit that is expected, in minor units of `currency`; negative never.

    Raises:
        ValidationError: it is no amount, or one of another currency.
    """
    match = ONE_AMOUNT.fullmatch(text)
    if match is None:
        if not THOUSANDS.fullmatch(text):
            raise ValidationError(
                _("“{text}” is no result: write 49.90, or 15 days.").format(text=text)
            )
        return minor_of(text, currency)
    if (match[1] or match[4]).upper() != currency:
        raise ValidationError(_("The fee is in {code}: so is the credit.").format(code=currency))
    return minor_of(match[2] or match[3], currency)


class MinutesField(forms.CharField):
    """30 + 45 as two outages of 30 and 45 minutes."""

    def clean(self, value: Any) -> list[Decimal]:
        text = str(super().clean(value))
        return [self._one(part.strip()) for part in text.split("+")]

    @staticmethod
    def _one(text: str) -> Decimal:
        try:
            minutes = Decimal(text)
        except InvalidOperation:
            minutes = Decimal(-1)
        if not (minutes.is_finite() and 0 <= minutes <= LONGEST):
            raise ValidationError(
                _("“{text}” is no number of minutes: write 30, or 30 + 45.").format(text=text)
            )
        if minutes != minutes.quantize(Decimal("0.001")):
            raise ValidationError(_("At most three decimals of a minute count."))
        return minutes


class MonthField(forms.CharField):
    """2026-10 as the first of October; a billing period may begin on any day: 2026-10-14."""

    def clean(self, value: Any) -> date:
        text = str(super().clean(value))
        match = MONTH.fullmatch(text)
        refusal = ValidationError(
            _("“{text}” is no month: write 2026-10, or 2026-10-14.").format(text=text)
        )
        if match is None or int(match[1]) not in YEARS:
            raise refusal
        try:
            return date(int(match[1]), int(match[2]), int(match[3] or 1))
        except ValueError:
            raise refusal from None


class WordsField(forms.CharField):
    """Values between commas, as a list; empty means any."""

    def __init__(self, *, known: str, upper: bool = False, **kwargs: Any) -> None:
        self.upper = upper
        widget = forms.TextInput(attrs={"data-known": known, "placeholder": gettext_lazy("any")})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        words = [word.strip() for word in str(value or "").split(",")]
        return list(dict.fromkeys(word.upper() if self.upper else word for word in words if word))


class Number(forms.TextInput):
    """A text field: a number field's arrows and locale stand in the way of 99.95."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})


class PlainDecimalField(forms.DecimalField):
    """A decimal without the zeros that the database pads it with; in a plain text field."""

    widget = Number

    def prepare_value(self, value: Any) -> Any:
        return number(value) if isinstance(value, Decimal) else value


def plain(field: Any, **more: Any) -> PlainDecimalField:
    """A field for a model's decimal: its label, help, bounds and digits, in plain figures."""
    made: PlainDecimalField = field.formfield(form_class=PlainDecimalField, widget=Number, **more)
    return made


def limit(form: forms.BaseForm, largest: Mapping[str, int]) -> None:
    """Refuse figures that nobody means, before dates and sums are made of them."""
    for name, most in largest.items():
        form.fields[name].validators.append(MaxValueValidator(most))


def dress(form: forms.BaseForm) -> None:
    """The look of the house for every field that is no box to tick."""
    for field in form.fields.values():
        if not isinstance(field.widget, forms.CheckboxInput):
            field.widget.attrs.setdefault("class", "am-field")
