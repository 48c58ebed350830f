"""The forms of queues, agents and webhooks."""

from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from backoffice.accounts.models import User
from backoffice.customers.models.customer import Language
from support.authority import holders_of
from support.models import Agent, Queue, TicketEvent, WebhookEndpoint
from support.queues import check_queue
from support.webhooks import check_url


class SkillsField(SimpleArrayField):
    """Words with commas between, in lower case, each once."""

    def __init__(self, **more: Any) -> None:
        widget = UnfoldAdminTextInputWidget({"placeholder": "fibre, billing"})
        super().__init__(
            forms.CharField(max_length=50, required=False),
            required=False,
            widget=widget,
            label=_("Skills"),
            **more,
        )

    def clean(self, value: Any) -> list[str]:
        words = [word.strip().lower() for word in super().clean(value)]
        return sorted({word for word in words if word})

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


class QueueForm(forms.ModelForm):  # type: ignore[type-arg]
    """A queue; its members are chosen among those who may answer tickets."""

    skills = SkillsField(
        help_text=_("What an agent needs to be given its tickets, or to take one.")
    )

    class Meta:
        model = Queue
        fields = (
            "name", "slug", "is_default", "is_active", "assignment", "skills", "members", "email",
            "acknowledges", "signature",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "members" in self.fields:
            field: Any = self.fields["members"]
            able = holders_of("answer_ticket")
            if self.instance.pk:
                # Who is in already can be taken out, whatever they may do today.
                able = User.objects.filter(pk__in=able) | User.objects.filter(queues=self.instance)
            field.queryset = able.distinct().order_by("full_name", "email")
            field.help_text = _("Without members it is everybody's.")

    def _get_validation_exclusions(self) -> set[str]:
        # A new default queue takes the former one's place when it is saved.
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return exclusions | {"is_default"}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("is_default", "is_active", "email"):
            setattr(self.instance, name, cleaned.get(name, getattr(self.instance, name)))
        check_queue(self.instance)
        return cleaned


class AgentForm(forms.ModelForm):  # type: ignore[type-arg]
    """What somebody brings to the desk; absence is said beside the form."""

    languages = forms.MultipleChoiceField(
        choices=Language.choices,
        required=False,
        label=_("Languages"),
        help_text=_("None chosen: all."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    skills = SkillsField()

    class Meta:
        model = Agent
        fields = ("user", "capacity", "takes_part", "languages", "skills", "signature")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "user" in self.fields:
            field: Any = self.fields["user"]
            free = holders_of("answer_ticket").filter(agent=None)
            field.queryset = free.order_by("full_name", "email")
            field.empty_label = _("Choose somebody who may answer tickets")


class AbsenceForm(forms.Form):
    """When somebody is away (in the reader's time zone), and who takes their tickets."""

    away_from = forms.DateTimeField(
        label=_("From"),
        widget=forms.DateTimeInput(
            {"type": "datetime-local", "class": "am-field"}, format="%Y-%m-%dT%H:%M"
        ),
    )
    away_until = forms.DateTimeField(
        label=_("Until"),
        required=False,
        widget=forms.DateTimeInput(
            {"type": "datetime-local", "class": "am-field"}, format="%Y-%m-%dT%H:%M"
        ),
    )
    stand_in = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Stand-in"),
        required=False,
        empty_label=_("nobody: back to the queues"),
        widget=forms.Select({"class": "am-field"}),
    )

    def __init__(self, *args: Any, agent: Agent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["stand_in"]
        able = holders_of("answer_ticket").exclude(pk=agent.user_id)
        field.queryset = able.order_by("full_name", "email")


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """An address of another system's."""

    on_events = forms.MultipleChoiceField(
        choices=TicketEvent.Kind.choices,
        required=False,
        label=_("Events"),
        help_text=_("None chosen: all."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "on_events", "is_active")
        # Checked below; Django's own field for addresses would guess a scheme.
        field_classes = {"url": forms.CharField}

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except forms.ValidationError as error:
            raise forms.ValidationError(error.message_dict["url"]) from error
        return url
