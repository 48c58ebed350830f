"""Limits as people write them: 25.00 of a currency, or days."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice import money
from compensation.models import Award
from support.models import GoodwillLimit

LIMITS = ("per_ticket", "per_day", "per_customer")


def _value(label: Any, help_text: Any) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, widget=UnfoldAdminTextInputWidget)


class GoodwillLimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """The three values in major units of the currency (25.00), or in days; kept whole."""

    ticket_value = _value(
        _("Per ticket"), _("Such as 25.00 for credit, 14 for days; whoever gave it.")
    )
    day_value = _value(_("Per day"), _("What one person gives, from midnight UTC to midnight."))
    customer_value = _value(_("Per customer"), _("Within 365 days, whoever gave it."))

    class Meta:
        model = GoodwillLimit
        fields = ("role", "user", "benefit", "currency")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit = self.instance
        if limit.pk is None:
            return
        for name in LIMITS:
            value: Any = getattr(limit, name)
            if limit.benefit == Award.Benefit.CREDIT:
                value = money.to_major(value, limit.currency)
            self.initial[_field(name)] = str(value)

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_credit = cleaned.get("benefit") == Award.Benefit.CREDIT
        currency = cleaned.get("currency", "")
        if is_credit and not currency:
            raise ValidationError({"currency": _("Say of which currency.")})
        for name in LIMITS:
            if (typed := cleaned.get(_field(name))) is not None:
                setattr(self.instance, name, self._whole(_field(name), typed, currency))
        return cleaned

    def _whole(self, field: str, typed: str, currency: str) -> int:
        try:
            value = money.to_minor(typed, currency) if currency else int(typed)
        except ValueError:
            self.add_error(field, _("Write an amount like 25.00, or whole days."))
            return 0
        if value < 0:
            self.add_error(field, _("Not below 0."))
        return max(value, 0)


def _field(name: str) -> str:
    return f"{name.removeprefix('per_')}_value"
