"""The form on which a customer says that something did not work."""

import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.customers.models import Component, Customer, Subscription
from compensation.claims.filing import LONGEST_TEXT

LONGEST_VALUE = 40


class ZonedMomentField(forms.CharField):
    """A minute in the reader's time zone, as browsers send it.

    In the hour that is there twice in autumn, `fold` 0 is its first time and 1 its second: a claim
    is then rather too long than too short. One that a zone skips in spring is taken an hour later.
    """

    def __init__(self, *, fold: int, **kwargs: Any) -> None:
        self.fold = fold
        widget = forms.DateTimeInput({"type": "datetime-local", "autocomplete": "off"})
        super().__init__(max_length=LONGEST_VALUE, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M")
        return value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
            if found.tzinfo is None:
                found = found.replace(tzinfo=timezone.get_current_timezone(), fold=self.fold)
            return found.astimezone(timezone.get_default_timezone())
        except (ValueError, OverflowError):
            message = _("This is no time: write it like 2026-10-14 14:00.")
            raise ValidationError(message) from None


class ClaimForm(forms.Form):
    """Which subscription (of several), what, from when to when, and what happened."""

    subscription = forms.ModelChoiceField(
        Subscription.objects.none(), label=gettext_lazy("Which of your subscriptions?")
    )
    component = forms.ModelChoiceField(
        Component.objects.none(),
        label=gettext_lazy("What did not work?"),
        required=False,
        empty_label=gettext_lazy("Something else, or I do not know"),
    )
    starts_at = ZonedMomentField(
        fold=0,
        label=gettext_lazy("From"),
        error_messages={"required": gettext_lazy("Say when it began, as well as you know.")},
    )
    ends_at = ZonedMomentField(
        fold=1,
        label=gettext_lazy("To"),
        required=False,
        help_text=gettext_lazy("Leave it empty if it still does not work."),
    )
    text = forms.CharField(
        label=gettext_lazy("What happened?"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Subscription.objects.filter(customer=customer).order_by("-started_at", "id")
        self._only = own.first() if own.count() <= 1 else None
        choice: Any = self.fields["subscription"]
        if own.count() > 1:
            choice.queryset = own
            choice.label_from_instance = _subscription_words
        else:
            del self.fields["subscription"]
        used = Component.objects.filter(uses__subscription__customer=customer, is_public=True)
        what: Any = self.fields["component"]
        what.queryset = used.distinct()
        if not used.exists():
            del self.fields["component"]

    @property
    def subscription_claimed(self) -> Subscription | None:
        """The chosen one, the only one, or none."""
        found: Subscription | None = self.cleaned_data.get("subscription", self._only)
        return found


def _subscription_words(subscription: Subscription) -> str:
    return f"{subscription.plan} ({subscription.reference})"
