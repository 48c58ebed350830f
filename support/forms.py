"""The desk's forms."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from backoffice.customers.models.customer import Language
from support.models import PrioritySetting, Queue
from support.priority import PARTS

MOST = 100
_NUMBERS = (
    *PARTS, "waiting_full_minutes", "value_full_minor", "normal_from", "high_from", "urgent_from",
)  # fmt: skip


class WeightsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The weights as points, the plans as lines “Business = 100”."""

    plans = forms.CharField(
        label=gettext_lazy("Plans and segments"),
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "A line each: Business = 100, or segment:enterprise = 80. How much, from 0 to 100, of "
            "the points for contract and plan; who is not named gets none."
        ),
    )

    class Meta:
        model = PrioritySetting
        fields = _NUMBERS
        widgets = dict.fromkeys(_NUMBERS, UnfoldAdminIntegerFieldWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        values = sorted(self.instance.plan_values.items(), key=lambda item: (-item[1], item[0]))
        self.initial["plans"] = "\n".join(f"{plan} = {value}" for plan, value in values)
        for part in PARTS:
            field: Any = self.fields[part]
            field.validators.append(_at_most_100)
            field.widget.attrs |= {"max": MOST}

    def clean_plans(self) -> str:
        text = str(self.cleaned_data["plans"])
        self.instance.plan_values = dict(
            _plan_value(number, line)
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip()
        )
        return text


def _day_input() -> forms.DateInput:
    return forms.DateInput({"type": "date", "class": "am-field"}, format="%Y-%m-%d")


class ReportForm(forms.Form):
    """The days (UTC, both included), the queue and the agent of a report."""

    first = forms.DateField(
        label=gettext_lazy("from"), widget=forms.DateInput({"type": "date", "class": "am-field"})
    )
    last = forms.DateField(
        label=gettext_lazy("to"), widget=forms.DateInput({"type": "date", "class": "am-field"})
    )
    queue = forms.ModelChoiceField(
        Queue.objects.all(),
        label=gettext_lazy("queue"),
        required=False,
        empty_label=gettext_lazy("all"),
        widget=forms.Select({"class": "am-field"}),
    )
    agent = forms.ModelChoiceField(
        User.objects.filter(agent__isnull=False).order_by("email"),
        label=gettext_lazy("agent"),
        required=False,
        empty_label=gettext_lazy("all"),
        widget=forms.Select({"class": "am-field"}),
    )


def _plan_value(number: int, line: str) -> tuple[str, int]:
    plan, equals, value = (part.strip() for part in line.rpartition("="))
    if not plan or not equals or not value.isdecimal() or int(value) > MOST:
        raise ValidationError(
            _("Line %(number)s, “%(line)s”: write a plan, “=”, and a number from 0 to 100.")
            % {"number": number, "line": line.strip()[:60]}
        )
    return plan, int(value)


def _at_most_100(value: int) -> None:
    if value > MOST:
        raise ValidationError(_("At most 100 points."))


def _field(autocomplete: str) -> forms.TextInput:
    return forms.TextInput({"class": "am-field", "autocomplete": autocomplete})


class StaffTicketForm(forms.Form):
    """A ticket that a colleague takes down for a customer who calls."""

    customer = forms.ModelChoiceField(
        Customer.objects.all(), required=False, widget=forms.HiddenInput
    )
    requester_name = forms.CharField(
        label=gettext_lazy("Who calls"), required=False, max_length=200, widget=_field("off")
    )
    requester_address = forms.EmailField(
        label=gettext_lazy("E-mail address for answers"), required=False, widget=_field("off")
    )
    subject = forms.CharField(
        label=gettext_lazy("In a few words"), max_length=300, widget=_field("off")
    )
    text = forms.CharField(
        label=gettext_lazy("What they said"),
        widget=forms.Textarea({"class": "am-field", "rows": 8}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=Language.choices,
        widget=forms.Select({"class": "am-field"}),
    )  # fmt: skip
    queue = forms.ModelChoiceField(
        Queue.objects.none(), label=gettext_lazy("Queue"), empty_label=None,
        widget=forms.Select({"class": "am-field"}),
    )  # fmt: skip
    is_mine = forms.BooleanField(label=gettext_lazy("I take it myself"), required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["queue"]
        queues = Queue.objects.filter(is_active=True)
        if not user.has_perm("support.see_all_queues"):
            queues = queues.filter(Q(members=user) | Q(members=None))
        field.queryset = queues.distinct()
        self.initial.setdefault("queue", queues.filter(is_default=True).first() or queues.first())
        self.initial.setdefault("is_mine", True)

    def chosen_customer(self) -> Customer | None:
        """Whom the form speaks of so far."""
        chosen = self["customer"].value()
        if isinstance(chosen, Customer):
            return chosen
        text = str(chosen or "")
        return Customer.objects.filter(pk=text).first() if text.isdecimal() else None

    def clean_requester_address(self) -> str:
        return str(self.cleaned_data["requester_address"]).lower()
