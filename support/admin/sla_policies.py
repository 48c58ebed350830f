"""SLA policies: what is promised, to which tickets, and what happens when it is not kept."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.accounts.models import User
from support.admin.calendar_form import working_hours
from support.conditions import ConditionError, parse_ticket_condition
from support.models import SlaPolicy
from support.models.ticket import UNSOLVED
from support.sla import recalculate
from support.widgets import TicketConditionWidget

PROMISES = ("first_response_minutes", "next_response_minutes", "resolution_minutes")


class SlaPolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    """Promises in minutes of business time."""

    class Meta:
        model = SlaPolicy
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose
        widgets = {"condition": TicketConditionWidget}
        help_texts = {
            "condition": gettext_lazy(
                "Empty fits every ticket. The first policy in order that fits counts."
            ),
            "first_response_minutes": gettext_lazy("Minutes of business time from the opening."),
            "next_response_minutes": gettext_lazy(
                "Minutes of business time from when the customer began to wait for a further word."
            ),
            "resolution_minutes": gettext_lazy(
                "Minutes of business time from the opening, less the time we waited for the"
                " customer."
            ),
            "warn_minutes": gettext_lazy("Minutes before the deadline. 0: no warning."),
            "raise_to": gettext_lazy("The lowest priority that the ticket has from then on."),
            "notify": gettext_lazy(
                "By e-mail of missed deadlines, and of near ones where a ticket is nobody's."
            ),
        }

    def clean_condition(self) -> str:
        text = str(self.cleaned_data["condition"]).strip()
        try:
            parse_ticket_condition(text)
        except ConditionError as error:
            raise ValidationError(str(error)) from None
        return text

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not any(cleaned.get(name) for name in PROMISES):
            raise ValidationError(_("Promise one thing at least: an answer or a solution."))
        if cleaned.get("give_to_agent") and cleaned.get("unassigns"):
            raise ValidationError(
                {"unassigns": _("Give it to an agent or take it from its agent, not both.")}
            )
        return cleaned


@admin.register(SlaPolicy)
class SlaPolicyAdmin(ModelAdmin):  # type: ignore[misc]
    """In order, as they are tried; leads drag them. Every change reaches the open tickets."""

    form = SlaPolicyForm
    list_display = (
        "name", "for_which", "first", "following", "solution", "calendar", "is_active",
        "tickets_open",
    )  # fmt: skip
    list_select_related = ("calendar",)
    ordering_field = "position"
    hide_ordering_field = True
    actions = None
    filter_horizontal = ("notify",)
    fieldsets = (
        (None, {"fields": (("name", "calendar"), "condition", ("position", "is_active"))}),
        (_("Promises"), {"fields": (*PROMISES, "pauses_on_hold")}),
        (
            _("Before and after a missed deadline"),
            {
                "fields": (
                    ("warn_minutes", "raise_to"),
                    ("give_to", "give_to_agent"),
                    "unassigns",
                    "notify",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SlaPolicy]:
        queryset: QuerySet[SlaPolicy] = super().get_queryset(request)
        return queryset.annotate(
            open_count=Count("tickets", filter=Q(tickets__status__in=UNSOLVED))
        )

    @display(description=gettext_lazy("for"))
    def for_which(self, policy: SlaPolicy) -> str:
        return policy.condition or _("all others")

    @display(description=gettext_lazy("first response"))
    def first(self, policy: SlaPolicy) -> str:
        return promised(policy.first_response_minutes)

    @display(description=gettext_lazy("next response"))
    def following(self, policy: SlaPolicy) -> str:
        return promised(policy.next_response_minutes)

    @display(description=gettext_lazy("resolution"))
    def solution(self, policy: SlaPolicy) -> str:
        return promised(policy.resolution_minutes)

    @display(description=gettext_lazy("open tickets"))
    def tickets_open(self, policy: Any) -> int:
        return int(policy.open_count)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "give_to_agent":
            kwargs["queryset"] = colleagues()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "notify":
            kwargs["queryset"] = colleagues()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        super().save_related(request, form, formsets, change)
        self._recalculate(request, form)

    def delete_model(self, request: HttpRequest, obj: SlaPolicy) -> None:
        super().delete_model(request, obj)
        user: Any = request.user
        recalculate(obj, by=user)

    def _recalculate(self, request: HttpRequest, form: Any) -> None:
        user: Any = request.user
        if form.has_changed():
            recalculate(form.instance, by=user)


def promised(minutes: int | None) -> str:
    return working_hours((minutes or 0) * 60)


def colleagues() -> QuerySet[User]:
    return User.objects.filter(is_staff=True, is_active=True).order_by("full_name", "email")
