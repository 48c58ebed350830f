"""What an agent types to give goodwill."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Subscription
from backoffice.money import minor_digits, to_major, to_minor, validate_currency
from compensation.gestures import LONGEST_REASON, MOST_DAYS
from compensation.models import Award
from support.goodwill import Wish
from support.models import Ticket

AMOUNT = re.compile(r"(\d{1,9})(?:[.,](\d{1,3}))?")


class GoodwillForm(forms.Form):
    """The benefit, how much of it, and why. Which fields count depends on the benefit."""

    benefit = forms.ChoiceField(choices=Award.Benefit.choices)
    amount = forms.CharField(required=False)
    currency = forms.CharField(required=False, max_length=3)
    days = forms.IntegerField(required=False, min_value=1, max_value=MOST_DAYS)
    subscription = forms.ModelChoiceField(Subscription.objects.none(), required=False)
    reason = forms.CharField(required=False, max_length=LONGEST_REASON)
    despite = forms.CharField(required=False, max_length=2000)
    key = forms.RegexField(r"^[0-9a-f]{32}$")

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["subscription"]
        field.queryset = Subscription.objects.filter(customer=ticket.customer_id)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("benefit") == Award.Benefit.CREDIT:
            cleaned["amount_minor"] = self._amount_minor()
            cleaned["days"] = 0
        else:
            cleaned |= {"amount_minor": 0, "currency": ""}
            if "days" not in self.errors and not cleaned.get("days"):
                self.add_error("days", _("Say how many days."))
        if cleaned.get("benefit") == Award.Benefit.PRIORITY:
            cleaned["subscription"] = None
        return cleaned

    @property
    def wish(self) -> Wish:
        """Of a valid form."""
        names = ("benefit", "amount_minor", "currency", "days", "subscription", "reason", "despite")
        return Wish(key=self.cleaned_data["key"], **{n: self.cleaned_data[n] for n in names})

    def _amount_minor(self) -> int:
        typed, currency = self.cleaned_data["amount"].strip(), self.cleaned_data["currency"]
        found = AMOUNT.fullmatch(typed)
        try:
            validate_currency(currency)
        except ValidationError as error:
            self.add_error("currency", error)
            return 0
        if not typed:
            self.add_error("amount", _("Say how much."))
        elif found is None or len(found[2] or "") > minor_digits(currency):
            self.add_error("amount", _("Write the amount like 20 or 20.00."))
        else:
            exact = Decimal(f"{found[1]}.{found[2] or 0}")
            amount_minor = to_minor(exact, currency)
            if to_major(amount_minor, currency) == exact:
                return amount_minor
            self.add_error("amount", _("Stripe takes no such amount."))
        return 0
