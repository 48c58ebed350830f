"""What people fill in about incidents. Times are in the reader's zone."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import User
from backoffice.customers.models import Component, Subscription
from backoffice.customers.widgets import ConditionWidget
from incidents.lifecycle.outage import LEAST_PERCENT, SHARE_SAID
from incidents.models import Cohort, Incident, Outage

FIELD = {"class": "am-field"}
MOST_BYTES = 20 * 1024 * 1024


class MomentInput(forms.DateTimeInput):
    """The browser's own picker; whole minutes."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs=FIELD, format="%Y-%m-%dT%H:%M")


class MomentField(forms.DateTimeField):
    """A time in the reader's zone; empty means now unless the form says otherwise."""

    widget = MomentInput
    input_formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "input_formats": self.input_formats, **kwargs})


class RegionField(forms.CharField):
    """A region that subscriptions have, offered as one types."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Region"),
            required=False,
            max_length=50,
            help_text=_("Empty: everywhere."),
            widget=forms.TextInput(attrs={**FIELD, "list": "regions", "autocomplete": "off"}),
        )


class ComponentChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A component with its group."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.group} – {obj.name}" if obj.group else str(obj.name)


class ComponentsChoice(
    ComponentChoice,
    forms.ModelMultipleChoiceField,  # type: ignore[type-arg]
):
    """Several components, ticked."""

    widget = forms.CheckboxSelectMultiple


def regions() -> list[str]:
    """The regions that subscriptions have, at most 200."""
    known = Subscription.objects.exclude(region="").order_by("region").values_list("region")
    return [region for (region,) in known.distinct()[:200]]


class DeclarationForm(forms.Form):
    """A new incident, with what is out of order."""

    title = forms.CharField(
        label=_("What is wrong?"),
        max_length=300,
        widget=forms.TextInput(
            attrs={**FIELD, "autofocus": True, "placeholder": _("Fibre outage Frankfurt")}
        ),
    )
    severity = forms.ChoiceField(
        label=_("How bad is it?"),
        choices=Incident.Severity.choices,
        initial=Incident.Severity.MAJOR,
        widget=forms.Select(attrs=FIELD),
    )
    started_at = MomentField(label=_("Since when?"), help_text=_("Empty: now."))
    components = ComponentsChoice(
        label=_("What is out of order?"),
        queryset=Component.objects.order_by("group", "position", "name"),
        required=False,
        help_text=_("Whoever uses it is affected. It can be added later."),
    )
    impact = forms.ChoiceField(
        label=_("How much of it?"),
        choices=[(Outage.Impact.MAJOR, _("out of order")), (Outage.Impact.PARTIAL, _("partly"))],
        widget=forms.Select(attrs=FIELD),
    )
    region = RegionField()


class MaintenanceForm(forms.Form):
    """An announced maintenance."""

    title = forms.CharField(
        label=_("What will be done?"), max_length=300, widget=forms.TextInput(attrs=FIELD)
    )
    scheduled_for = MomentField(label=_("From"), required=True)
    scheduled_until = MomentField(label=_("To"), required=True)
    summary = forms.CharField(
        label=_("Summary"), required=False, widget=forms.Textarea(attrs={**FIELD, "rows": 3})
    )


class MoveForm(forms.Form):
    """When it happened, and why or what."""

    at = MomentField()
    reason = forms.CharField(required=False, max_length=2000)
    ends_outages = forms.BooleanField(required=False)


class IncidentForm(forms.ModelForm):  # type: ignore[type-arg]
    """What can be corrected; the commander as well."""

    started_at = MomentField(label=_("Started"), required=True)
    detected_at = MomentField(label=_("Detected"))
    acknowledged_at = MomentField(label=_("Acknowledged"))
    mitigated_at = MomentField(label=_("Mitigated"))
    reason = forms.CharField(
        label=_("Why is it changed?"), required=False, widget=forms.TextInput(attrs=FIELD)
    )

    class Meta:
        model = Incident
        fields = [
            "title",
            "severity",
            "commander",
            "summary",
            "started_at",
            "detected_at",
            "acknowledged_at",
            "mitigated_at",
        ]
        widgets = {
            "title": forms.TextInput(attrs=FIELD),
            "severity": forms.Select(attrs=FIELD),
            "commander": forms.Select(attrs=FIELD),
            "summary": forms.Textarea(attrs={**FIELD, "rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(is_staff=True, is_active=True).order_by("full_name", "email")
        self.fields["commander"].queryset = staff  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        """The verb checks the row: nothing is written to the instance here."""


class OutageForm(forms.Form):
    """A component out of order."""

    component = ComponentChoice(
        label=_("Component"),
        queryset=Component.objects.order_by("group", "position", "name"),
        widget=forms.Select(attrs=FIELD),
    )
    impact = forms.ChoiceField(
        label=_("Impact"), choices=Outage.Impact.choices, widget=forms.Select(attrs=FIELD)
    )
    affected_percent = forms.DecimalField(
        label=_("Share of requests that failed, percent"), required=False,
        min_value=LEAST_PERCENT, max_value=100, max_digits=6, decimal_places=3,
        widget=forms.NumberInput(attrs={**FIELD, "step": "0.001", "inputmode": "decimal"}),
        help_text=_("For policies that weigh downtime by it. Empty: all of them."),
        error_messages={"min_value": SHARE_SAID, "max_value": SHARE_SAID},
    )  # fmt: skip
    region = RegionField()
    starts_at = MomentField(label=_("From"), required=True)
    ends_at = MomentField(label=_("To"), help_text=_("Empty: it goes on."))
    reason = forms.CharField(
        label=_("Why is it changed?"), required=False, widget=forms.TextInput(attrs=FIELD)
    )


class CohortForm(forms.Form):
    """Customers found by a condition."""

    name = forms.CharField(
        label=_("Name"), max_length=200, widget=forms.TextInput(attrs=FIELD),
        help_text=_("Such as “Business, fibre”."),
    )  # fmt: skip
    condition = forms.CharField(
        label=_("Condition"), required=False, widget=ConditionWidget(attrs={"class": "am-field"}),
        help_text=_('Such as plan = "Business" and customer.country = "DE". Empty: everyone left.'),
    )  # fmt: skip


class ListForm(forms.Form):
    """Customers from a CSV file, onto a new list or one there is."""

    cohort = forms.ModelChoiceField(
        label=_("List"), queryset=Cohort.objects.none(), required=False,
        empty_label=_("a new one"), widget=forms.Select(attrs=FIELD),
    )  # fmt: skip
    name = forms.CharField(
        label=_("Name of the new list"), max_length=200, required=False,
        widget=forms.TextInput(attrs=FIELD),
    )  # fmt: skip
    file = forms.FileField(
        label=_("CSV file"), required=False,
        widget=forms.ClearableFileInput(attrs={**FIELD, "accept": ".csv,text/csv"}),
    )  # fmt: skip
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, incident: Incident, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = incident.cohorts.filter(source=Cohort.Source.LIST)
        self.fields["cohort"].queryset = lists  # type: ignore[attr-defined]
        self.incident = incident

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not data.get("cohort"):
            name = data.get("name", "").strip()
            if not name:
                self.add_error("name", _("Give the new list a name."))
            elif self.incident.cohorts.filter(name=name).exists():
                self.add_error("name", _("This incident has a cohort of this name already."))
        if file := data.get("file"):
            data["text"] = self._text_of(file)
        elif not data.get("text"):
            self.add_error("file", _("Choose a CSV file."))
        return data

    def _text_of(self, file: Any) -> str:
        if file.size > MOST_BYTES:
            self.add_error("file", _("This file is larger than 20 MB: split it."))
            return ""
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            self.add_error("file", _("This file is not in UTF-8: save it as “CSV UTF-8”."))
            return ""
