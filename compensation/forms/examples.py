"""The examples below the table: fee, minutes and month, and what must come out."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from backoffice.money import to_major
from compensation.forms.fields import (
    ExpectedField,
    MinutesField,
    MoneyField,
    MonthField,
    Number,
    credit_minor,
    dress,
    limit,
    plain,
)
from compensation.forms.ordered import OrderedForm, OrderedForms, heading
from compensation.models import PolicyExample, PolicyVersion
from compensation.wording import number
from incidents.models import Outage

MOST_EXAMPLES = 200
HEADINGS: dict[str, Any] = {
    "fee": gettext_lazy("monthly fee"),
    "expected": gettext_lazy("expected"),
    "starts_on": gettext_lazy("month"),
}


def _known(name: str) -> forms.TextInput:
    """One value of those that customers have."""
    attrs = {"data-known": name, "data-one": "", "placeholder": gettext_lazy("any")}
    return forms.TextInput(attrs=attrs)


class ExampleForm(OrderedForm):
    """One example, in the words of a person: EUR 499.00, 30 + 45, 2026-10, 49.90."""

    FOLDED = (
        "plan", "country", "segment", "tenure_months", "impact", "share_percent", "period_minutes",
    )  # fmt: skip

    fee = MoneyField(widget=forms.TextInput(attrs={"placeholder": "EUR 499.00"}))
    minutes = MinutesField(widget=Number({"placeholder": "30 + 45"}))
    starts_on = MonthField(widget=forms.TextInput(attrs={"placeholder": "2026-10"}))
    expected = ExpectedField(
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("not said")})
    )
    share_percent = plain(PolicyExample._meta.get_field("share_percent"))

    class Meta:
        model = PolicyExample
        fields = (
            "label", "plan", "country", "segment", "tenure_months", "minutes", "impact",
            "share_percent", "starts_on", "period_minutes",
        )  # fmt: skip
        widgets = {
            "plan": _known("plans"),
            "country": _known("countries"),
            "segment": _known("segments"),
            "tenure_months": Number,
            "period_minutes": Number,
            "impact": forms.Select(attrs={"data-usual": Outage.Impact.MAJOR}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial = {**self.initial, **_typed(self.instance)}
        limit(self, {"tenure_months": 1200, "period_minutes": 1_000_000})
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = example_column(name)
        dress(self)

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if "fee" in found and "expected" in found:
            kind, text = found["expected"]
            self.instance.currency, self.instance.fee_minor = found["fee"]
            self.instance.expected_days = int(text) if kind == "days" else None
            self.instance.expected_minor = None
            if kind == "credit":
                try:
                    self.instance.expected_minor = credit_minor(text, self.instance.currency)
                except ValidationError as error:
                    self.add_error("expected", error)
        return found


def _typed(example: PolicyExample) -> dict[str, str]:
    """An example as it would be typed."""
    said = ""
    if example.expected_days is not None:
        said = f"{example.expected_days} days"
    elif example.expected_minor is not None:
        said = str(to_major(example.expected_minor, example.currency))
    starts = example.starts_on
    return {
        "fee": f"{example.currency} {to_major(example.fee_minor, example.currency)}",
        "minutes": " + ".join(number(minutes) for minutes in example.minutes),
        "starts_on": f"{starts:%Y-%m}" if starts.day == 1 else f"{starts:%Y-%m-%d}",
        "expected": said,
    }


def example_column(name: str) -> str:
    """The heading of the field `name`, as errors call it."""
    return str(HEADINGS[name]) if name in HEADINGS else heading(PolicyExample, name)


class BaseExamples(OrderedForms):
    """The examples, in order."""

    told_as = gettext_lazy("Example {row}{field}: {error}")
    default_error_messages = {
        **OrderedForms.default_error_messages,
        "too_many_forms": gettext_lazy("A policy has at most %(num)d examples."),
    }

    def heading(self, name: str) -> str:
        return example_column(name)


ExampleFormSet: Any = forms.inlineformset_factory(
    PolicyVersion, PolicyExample, form=ExampleForm, formset=BaseExamples, extra=0,
    can_delete=True, max_num=MOST_EXAMPLES, validate_max=True,
)  # fmt: skip
