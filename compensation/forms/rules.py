"""The decision table: one row a rule."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.customers.conditions import ConditionError, parse_condition
from backoffice.customers.models import Customer, Subscription
from backoffice.customers.widgets import ConditionWidget
from compensation.forms.fields import (
    AmountsField,
    Number,
    PlainDecimalField,
    WordsField,
    dress,
    limit,
    plain,
)
from compensation.forms.ordered import OrderedForm, OrderedForms, heading
from compensation.models import PolicyVersion, Rule
from compensation.wording import gives

MOST_ROWS = 200
# What each kind of credit is made of; the rest of these fields is emptied when a row is saved.
MADE_OF = {
    Rule.Credit.NONE: set[str](),
    Rule.Credit.PERCENT: {"credit_value"},
    Rule.Credit.TIME_MULTIPLE: {"credit_value"},
    Rule.Credit.STEP: {
        "credit_value", "step_minutes", "step_counts", "allowance_minutes", "allowance_uptime",
    },
    Rule.Credit.HOURS: {"credit_value", "fee_hours"},
    Rule.Credit.FIXED: {"credit_amounts"},
}  # fmt: skip
ALL_OF_THEM = set[str]().union(*MADE_OF.values())


def column(name: str) -> str:
    """The heading of the field `name`, as errors call it."""
    return heading(Rule, name)


def _counts(itself: str, not_itself: str) -> forms.TypedChoiceField:
    choices = [("True", itself), ("False", not_itself)]
    return forms.TypedChoiceField(choices=choices, coerce=lambda value: value == "True")


def _bound(**more: Any) -> PlainDecimalField:
    return PlainDecimalField(
        required=False, min_value=0, widget=Number({"placeholder": gettext_lazy("any")}), **more
    )


# A century, and ten years of days.
LARGEST = {
    "tenure_months_from": 1200, "tenure_months_to": 1200, "trial_days": 3650, "priority_days": 3650,
}  # fmt: skip


class RuleForm(OrderedForm):
    """One row. Only the fields of the chosen kind of credit are kept."""

    FOLDED = (
        "countries", "segments", "statuses", "tenure_months_from", "tenure_months_to",
        "minutes_from", "minutes_to", "condition", "label",
    )  # fmt: skip

    plans = WordsField(known="plans")
    countries = WordsField(known="countries", upper=True)
    segments = WordsField(known="segments")
    statuses = WordsField(known="statuses")
    uptime_from = _bound(max_value=100, max_digits=9, decimal_places=6)
    uptime_from_inclusive = _counts("≥", ">")
    uptime_to = _bound(max_value=100, max_digits=9, decimal_places=6)
    uptime_to_inclusive = _counts("≤", "<")
    minutes_from = _bound(max_digits=12, decimal_places=3)
    minutes_from_inclusive = _counts("≥", ">")
    minutes_to = _bound(max_digits=12, decimal_places=3)
    minutes_to_inclusive = _counts("≤", "<")
    credit_value = plain(Rule._meta.get_field("credit_value"))
    credit_amounts = AmountsField(widget=forms.TextInput(attrs={"placeholder": "EUR 10.00"}))
    step_minutes = plain(Rule._meta.get_field("step_minutes"))
    allowance_minutes = plain(Rule._meta.get_field("allowance_minutes"))
    allowance_uptime = plain(Rule._meta.get_field("allowance_uptime"))

    class Meta:
        model = Rule
        fields = (
            "label", "plans", "countries", "segments", "statuses", "tenure_months_from",
            "tenure_months_to", "uptime_from", "uptime_from_inclusive", "uptime_to",
            "uptime_to_inclusive", "minutes_from", "minutes_from_inclusive", "minutes_to",
            "minutes_to_inclusive", "condition", "credit", "credit_value", "credit_amounts",
            "step_minutes", "step_counts", "allowance_minutes", "allowance_uptime", "fee_hours",
            "trial_days", "priority_days",
        )  # fmt: skip
        widgets = {"condition": ConditionWidget, "fee_hours": Number}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("trial_days", "priority_days", "condition", "label", "step_counts"):
            self.fields[name].required = False
        for name in ("uptime_from_inclusive", "minutes_from_inclusive"):
            self.fields[name].initial = "True"
        for name in ("uptime_to_inclusive", "minutes_to_inclusive"):
            self.fields[name].initial = "False"
        limit(self, LARGEST)
        for name, field in self.fields.items():
            # The headings of a table do not name its fields to a screen reader.
            field.widget.attrs["aria-label"] = column(name)
        dress(self)

    def clean_trial_days(self) -> int:
        return self.cleaned_data["trial_days"] or 0

    def clean_priority_days(self) -> int:
        return self.cleaned_data["priority_days"] or 0

    def clean_step_counts(self) -> str:
        return self.cleaned_data["step_counts"] or Rule.Step.COMPLETED

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

    def clean(self) -> dict[str, Any]:
        """What belongs to another kind of credit is out of sight, so it must not count."""
        found = super().clean() or self.cleaned_data
        for name in ALL_OF_THEM - MADE_OF.get(found.get("credit", ""), ALL_OF_THEM):
            field: Any = Rule._meta.get_field(name)
            self.errors.pop(name, None)
            found[name] = field.get_default()
        return found

    @property
    def in_words(self) -> str:
        """What the row gives, as it was saved."""
        return gives(self.instance, self.instance.version) if self.instance.pk else ""

    @property
    def trouble(self) -> dict[str, str] | None:
        """The line of the condition that cannot be used, and a mark under its place."""
        for error in self.errors.as_data().get("condition", []):
            if isinstance(error, ConditionError):
                text = str(self["condition"].value() or "")
                lines = text.splitlines() or [""]
                return {
                    "line": lines[min(error.line, len(lines)) - 1],
                    "mark": " " * (error.column - 1) + "^",
                }
        return None


class BaseRules(OrderedForms):
    """The rows, in order."""

    default_error_messages = {
        **OrderedForms.default_error_messages,
        "too_many_forms": gettext_lazy(
            "A policy has at most %(num)d rows: several values in one row, such as plans between "
            "commas, save many."
        ),
    }

    def heading(self, name: str) -> str:
        return column(name)


RuleFormSet: Any = forms.inlineformset_factory(
    PolicyVersion, Rule, form=RuleForm, formset=BaseRules, extra=1, can_delete=True,
    max_num=MOST_ROWS, validate_max=True,
)  # fmt: skip


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
