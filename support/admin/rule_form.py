"""A rule as a lead writes it: when, if, then."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from support.admin.macro_form import ActionsField
from support.automation import MOMENTS
from support.conditions import parse_ticket_condition
from support.models import AutomationRule, TicketEvent
from support.widgets import TicketConditionWidget

# What rules themselves leave behind, and what nobody can answer.
NOT_HEARD = {TicketEvent.Kind.RULE, TicketEvent.Kind.ERASED}
LONGEST = 366 * 24 * 60  # minutes


class RuleActionsField(ActionsField):
    """Nobody acts in a rule, so it has no “me”; but it may answer with a macro."""

    without = frozenset({"me"})


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """Mistakes are told with their place."""

    on_events = forms.MultipleChoiceField(
        choices=[kind for kind in TicketEvent.Kind.choices if kind[0] not in NOT_HEARD],
        required=False,
        label=later("When this happens"),
        help_text=later("What no person wrote (bounces, out-of-office answers) sets nothing off."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    after_field = forms.ChoiceField(
        choices=[("", "–"), *MOMENTS.items()],
        required=False,
        label=later("after"),
        widget=UnfoldAdminSelectWidget,
        help_text=later("Once a ticket and moment; only tickets that are not over."),
    )
    actions = RuleActionsField(
        label=later("Then"),
        help_text=later(
            "A line each: add_tags: outage, vip · remove_tags: … · set_status: solved · assign: an "
            "e-mail address or nobody · set_queue: billing · raise_priority: high · "
            "set_language: de · note: … · macro: its name · "
            "notify: assignee, ann@example.com | the text"
        ),
        widget=UnfoldAdminTextareaWidget({"rows": 4, "spellcheck": "false"}),
    )

    class Meta:
        model = AutomationRule
        fields = (
            "name", "position", "is_active", "on_events", "after_minutes", "after_field",
            "condition", "stops",
        )  # fmt: skip
        widgets = {"condition": TicketConditionWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("actions", self.instance.actions)
        if "condition" in self.fields:
            self.fields["condition"].help_text = _(
                'Empty: always. For one: band >= "high" and customer.segment = "business"'
            )

    def clean_condition(self) -> str:
        text = str(self.cleaned_data["condition"])
        parse_ticket_condition(text)
        return text

    def clean_after_minutes(self) -> int | None:
        minutes: int | None = self.cleaned_data["after_minutes"]
        if minutes is not None and minutes > LONGEST:
            raise ValidationError(_("At most a year."))
        return minutes

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        minutes, moment = cleaned.get("after_minutes"), cleaned.get("after_field")
        if "after_minutes" in cleaned and (minutes is None) != (not moment):
            name = "after_minutes" if minutes is None else "after_field"
            self.add_error(name, _("Minutes and what they count from belong together."))
        elif not cleaned.get("on_events") and minutes is None and "after_minutes" in cleaned:
            self.add_error("on_events", _("Say when: what happens, or how long after what."))
        self.instance.actions = cleaned.get("actions", [])
        return cleaned
