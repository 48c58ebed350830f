"""A policy as finance writes it: the terms around the table, and its rows.

Amounts are typed in major units ("EUR 10.00, USD 12.00") and kept in minor ones.
"""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backoffice.customers.conditions import parse_condition
from backoffice.customers.models import Customer, Subscription
from backoffice.customers.widgets import ConditionWidget
from backoffice.money import to_major, to_minor, validate_currency
from compensation.models import PolicyVersion, Rule
from compensation.wording import gives, number

AMOUNT = re.compile(r"([A-Za-z]{3})\s*(\d[\d,]*(?:\.\d+)?)\s*(?:[,;\n]|$)\s*")
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?")


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
            found[currency] = _minor(match[2], currency)
        return found


def _minor(amount: str, currency: str) -> int:
    """Raises ValidationError where the currency has no such fraction."""
    validate_currency(currency)
    number = amount.rstrip(",")
    if not THOUSANDS.fullmatch(number):
        raise ValidationError(_("“{text}” is no amount: write 1000.00.").format(text=amount))
    exact = Decimal(number.replace(",", ""))
    minor = to_minor(exact, currency)
    if to_major(minor, currency) != exact:
        raise ValidationError(
            _("{code} has no such small fractions as in {text}.").format(code=currency, text=number)
        )
    return minor


class WordsField(forms.CharField):
    """Values between commas, as a list; empty means any."""

    def __init__(self, *, known: str, upper: bool = False, **kwargs: Any) -> None:
        self.upper = upper
        widget = forms.TextInput(attrs={"data-known": known, "placeholder": _("any")})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        words = [word.strip() for word in str(value or "").split(",")]
        return list(dict.fromkeys(word.upper() if self.upper else word for word in words if word))


class PlainDecimalField(forms.DecimalField):
    """A decimal without the zeros that the database pads it with."""

    def prepare_value(self, value: Any) -> Any:
        return number(value) if isinstance(value, Decimal) else value


def _counts(itself: str, not_itself: str) -> forms.TypedChoiceField:
    choices = [("True", itself), ("False", not_itself)]
    return forms.TypedChoiceField(choices=choices, coerce=lambda value: value == "True")


def _percent(**more: Any) -> PlainDecimalField:
    return PlainDecimalField(
        required=False, min_value=0, widget=_Number(attrs={"placeholder": _("any")}), **more
    )


class _Number(forms.TextInput):
    """A text field: a number field's arrows and locale stand in the way of 99.95."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})


class VersionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The terms around the table."""

    cap_amounts = AmountsField(label=_("at most, per customer"))
    minimum_amounts = AmountsField(label=_("least paid out"))
    cap_percent = PlainDecimalField(
        required=False, min_value=0, max_digits=7, decimal_places=3,
        label=_("at most, % of the fee"), widget=_Number,
    )  # fmt: skip
    partial_weight = PlainDecimalField(
        min_value=0, max_value=1, max_digits=4, decimal_places=3,
        label=_("weight of partial outages, 0 to 1"), widget=_Number,
    )  # fmt: skip

    class Meta:
        model = PolicyVersion
        fields = (
            "fee_period", "hit_policy", "partial_weight", "cap_percent", "cap_amounts",
            "minimum_amounts", "is_minimum_exclusive", "rounding", "counts_maintenance",
            "change_note",
        )  # fmt: skip
        widgets = {"change_note": forms.TextInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self)


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One row. `order` is where it stands among the others; they are numbered anew when saved."""

    order = forms.IntegerField(min_value=1, widget=forms.NumberInput(attrs={"min": 1}))
    plans = WordsField(known="plans")
    countries = WordsField(known="countries", upper=True)
    segments = WordsField(known="segments")
    statuses = WordsField(known="statuses")
    uptime_from = _percent(max_value=100, max_digits=9, decimal_places=6)
    uptime_from_inclusive = _counts("≥", ">")
    uptime_to = _percent(max_value=100, max_digits=9, decimal_places=6)
    uptime_to_inclusive = _counts("≤", "<")
    minutes_from = _percent(max_digits=12, decimal_places=3)
    minutes_from_inclusive = _counts("≥", ">")
    minutes_to = _percent(max_digits=12, decimal_places=3)
    minutes_to_inclusive = _counts("≤", "<")
    credit_value = PlainDecimalField(
        required=False, min_value=0, max_digits=10, decimal_places=4, widget=_Number
    )
    credit_amounts = AmountsField(widget=forms.TextInput(attrs={"placeholder": "EUR 10.00"}))

    class Meta:
        model = Rule
        fields = (
            "label", "plans", "countries", "segments", "statuses", "tenure_months_from",
            "tenure_months_to", "uptime_from", "uptime_from_inclusive", "uptime_to",
            "uptime_to_inclusive", "minutes_from", "minutes_from_inclusive", "minutes_to",
            "minutes_to_inclusive", "condition", "credit", "credit_value", "credit_amounts",
            "trial_days", "priority_days",
        )  # fmt: skip
        widgets = {"condition": ConditionWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("trial_days", "priority_days", "condition", "label"):
            self.fields[name].required = False
        for name in ("uptime_from_inclusive", "minutes_from_inclusive"):
            self.fields[name].initial = "True"
        for name in ("uptime_to_inclusive", "minutes_to_inclusive"):
            self.fields[name].initial = "False"
        for name, field in self.fields.items():
            # The headings of a table do not name its fields to a screen reader.
            field.widget.attrs["aria-label"] = column(name)
        _dress(self)

    def clean_trial_days(self) -> int:
        return self.cleaned_data["trial_days"] or 0

    def clean_priority_days(self) -> int:
        return self.cleaned_data["priority_days"] or 0

    def clean_condition(self) -> str:
        condition: str = self.cleaned_data["condition"]
        parse_condition(condition)
        return condition

    def clean_statuses(self) -> list[str]:
        statuses: list[str] = self.cleaned_data["statuses"]
        for status in statuses:
            if status not in Subscription.Status.values:
                known = ", ".join(Subscription.Status.values)
                raise ValidationError(
                    _("“{status}” is no status: choose of {known}.").format(
                        status=status, known=known
                    )
                )
        return statuses

    @property
    def in_words(self) -> str:
        """What the row gives, as it was saved."""
        return gives(self.instance, self.instance.version) if self.instance.pk else ""

    def has_changed(self) -> bool:
        """A new row of which only the order was filled in was never meant."""
        return any(name != "order" for name in self.changed_data)


class BaseRules(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """The rows, in order."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        position = form.instance.position if form.instance.pk else self.initial_form_count() + 1
        form.fields["order"].initial = position

    def told_errors(self) -> list[str]:
        """Each error with its row and field."""
        said = [str(error) for error in self.non_form_errors()]
        for row, form in enumerate(self.forms, start=1):
            for name, errors in form.errors.items():
                field = "" if name == "__all__" else f", {column(name)}"
                said += [
                    _("Row {row}{field}: {error}").format(row=row, field=field, error=error)
                    for error in errors
                ]
        return said

    def in_order(self) -> list[Any]:
        kept = [
            form
            for form in self.forms
            if not (
                form in self.deleted_forms or (form.instance.pk is None and not form.has_changed())
            )
        ]
        return sorted(kept, key=lambda form: form.cleaned_data.get("order") or len(self.forms))

    def save(self, commit: bool = True) -> list[Rule]:  # noqa: FBT001, FBT002 - Django's signature
        """All rows, numbered from 1 as they are ordered. Call it inside a transaction."""
        self.deleted_objects = [form.instance for form in self.deleted_forms if form.instance.pk]
        for rule in self.deleted_objects:
            rule.delete()
        rules = []
        for position, form in enumerate(self.in_order(), start=1):
            rule = form.save(commit=False)
            rule.version, rule.position = self.instance, position
            rule.save()
            rules.append(rule)
        return rules


def column(name: str) -> str:
    """The heading of the field `name`, as errors call it."""
    if name == "__all__":
        return _("the row")
    if name == "order":
        return _("order")
    return str(getattr(Rule._meta.get_field(name), "verbose_name", name))


RuleFormSet: Any = forms.inlineformset_factory(
    PolicyVersion, Rule, form=RuleForm, formset=BaseRules, extra=1, can_delete=True
)


def known_values() -> dict[str, list[str]]:
    """What a row's lists can be completed with."""
    subscriptions, customers = Subscription.objects.order_by(), Customer.objects.order_by()
    found = {
        "plans": subscriptions.values_list("plan", flat=True),
        "countries": customers.values_list("country", flat=True),
        "segments": customers.values_list("segment", flat=True),
    }
    known = {name: sorted(filter(None, values.distinct())) for name, values in found.items()}
    return known | {"statuses": list(Subscription.Status.values)}


def _dress(form: forms.BaseForm) -> None:
    for field in form.fields.values():
        if not isinstance(field.widget, forms.CheckboxInput):
            field.widget.attrs.setdefault("class", "am-field")
