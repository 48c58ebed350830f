"""The switch that stops all issuing, and the sums from which two must approve."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice import money
from backoffice.accounts.models import User
from backoffice.listing import ReadOnly
from compensation import issuing
from compensation.admin.doors import call, post_only
from compensation.admin.looks import language
from compensation.budgets import committed_minor
from compensation.models import ApprovalThreshold, Award, Batch, Budget, IssuingControl

CHANGES_SHOWN = 20


@admin.register(IssuingControl)
class IssuingControlAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """One row, so the list is the page: stop, or resume, with the reason and who did it when."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = super().get_urls()
        return [
            path("stop/", wrap(self.stop_view), name="compensation_issuingcontrol_stop"),
            path("resume/", wrap(self.resume_view), name="compensation_issuingcontrol_resume"),
            *urls,
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The switch and its last changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        control, _made = IssuingControl.objects.select_related("changed_by").get_or_create(pk=1)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Issuing switch"),
            "control": control,
            "issuing_stopped": None,  # the page says it itself
            "may_stop": request.user.has_perm("compensation.stop_issuing"),
            "running": Batch.objects.filter(
                state__in=[Batch.State.APPROVED, Batch.State.ISSUING]
            ).count(),
            "waiting": Award.objects.filter(
                state__in=[Award.State.APPROVED, Award.State.SENDING]
            ).count(),
            "changes": _changes(control),
        }
        return TemplateResponse(request, "admin/compensation/issuing/switch.html", context)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("admin:compensation_issuingcontrol_changelist")

    def stop_view(self, request: HttpRequest) -> HttpResponse:
        if refusal := post_only(request, "compensation.stop_issuing"):
            return refusal
        reason = request.POST.get("reason", "")
        call(
            request,
            lambda: issuing.stop_issuing(by=request.user, reason=reason),  # type: ignore[arg-type]
            _("All issuing is stopped."),
        )
        return redirect("admin:compensation_issuingcontrol_changelist")

    def resume_view(self, request: HttpRequest) -> HttpResponse:
        if refusal := post_only(request, "compensation.stop_issuing"):
            return refusal
        call(
            request,
            lambda: issuing.resume_issuing(by=request.user),  # type: ignore[arg-type]
            _("Issuing goes on."),
        )
        return redirect("admin:compensation_issuingcontrol_changelist")


def _changes(control: Any) -> list[dict[str, Any]]:
    events = list(control.events.select_related("pgh_context").order_by("-pgh_id")[:CHANGES_SHOWN])
    people = User.objects.in_bulk({event.changed_by_id for event in events})
    return [
        {
            "at": event.pgh_created_at,
            "stopped": event.is_stopped,
            "reason": event.reason,
            "who": people.get(event.changed_by_id),
        }
        for event in events
    ]


# Room for sums in 64 bits.
LARGEST_MINOR = 10**15


class AmountForm(forms.ModelForm):  # type: ignore[type-arg]
    """The amount as people write it, 10000.00, kept in minor units."""

    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        help_text=gettext_lazy("Such as 10000 or 10000.50, in the currency above."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            major = money.to_major(self.instance.amount_minor, self.instance.currency)
            self.initial["amount"] = str(major)

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "amount" in cleaned and "currency" in cleaned:
            try:
                self.instance.amount_minor = money.to_minor(cleaned["amount"], cleaned["currency"])
            except ValueError as error:
                raise ValidationError({"amount": str(error)}) from None
            except ArithmeticError:  # more digits than are reckoned with
                self.instance.amount_minor = LARGEST_MINOR + 1
            if self.instance.amount_minor < 0:
                raise ValidationError({"amount": _("The amount must not be negative.")})
            if self.instance.amount_minor > LARGEST_MINOR:
                raise ValidationError({"amount": _("That is more than can be kept.")})
        return cleaned


class ThresholdForm(AmountForm):
    class Meta:
        model = ApprovalThreshold
        fields = ("currency",)


class BudgetForm(AmountForm):
    """A month is any day of it."""

    class Meta:
        model = Budget
        fields = ("span", "month", "currency")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "month" in self.fields:  # a reader who may not change it has no fields
            self.fields["month"].help_text = _(
                "Any day of the month it is for; leave it empty for every month, or for batches."
            )

    def clean_month(self) -> date | None:
        month: date | None = self.cleaned_data["month"]
        return month.replace(day=1) if month else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("span") == Budget.Span.BATCH and cleaned.get("month"):
            raise ValidationError({"month": _("The budget of each batch is for no month.")})
        return cleaned


@admin.register(ApprovalThreshold)
class ApprovalThresholdAdmin(ModelAdmin):  # type: ignore[misc]
    """From which sum of a batch's credits a second person must approve, by currency."""

    empty_hint = gettext_lazy(
        "One approval is enough for every batch. Say here, for each currency, above which sum a "
        "second person must approve."
    )
    form = ThresholdForm
    fields = ("currency", "amount")
    list_display = ("currency", "above")
    ordering = ("currency",)

    @display(description=gettext_lazy("second approver above"))
    def above(self, threshold: ApprovalThreshold) -> str:
        return money.format_money(threshold.amount_minor, threshold.currency, language())


@admin.register(Budget)
class BudgetAdmin(ModelAdmin):  # type: ignore[misc]
    """How much credit a batch, and a month, may give: what is more cannot be submitted."""

    empty_hint = gettext_lazy(
        "There is no budget, so batches of any size can be submitted. Say here, for each currency, "
        "how much a batch or a month may give at most."
    )
    form = BudgetForm
    fields = ("span", "month", "currency", "amount")
    list_display = ("of", "currency", "most", "used", "waiting", "left")

    @display(description=gettext_lazy("for"))
    def of(self, budget: Budget) -> str:
        if budget.span == Budget.Span.BATCH:
            return _("each batch")
        return date_format(budget.month, "F Y") if budget.month else _("every month")

    @display(description=gettext_lazy("budget"))
    def most(self, budget: Budget) -> str:
        return money.format_money(budget.amount_minor, budget.currency, language())

    @display(description=gettext_lazy("used"))
    def used(self, budget: Budget) -> str:
        """Of the month it is for, or of this one: approved or given."""
        return self._said(budget, 0)

    @display(description=gettext_lazy("waits for approval"))
    def waiting(self, budget: Budget) -> str:
        return self._said(budget, 1)

    @display(description=gettext_lazy("left"))
    def left(self, budget: Budget) -> str:
        committed = self._committed(budget)
        if committed is None:
            return "–"
        left = budget.amount_minor - sum(committed)
        return money.format_money(left, budget.currency, language())

    def _said(self, budget: Budget, place: int) -> str:
        committed = self._committed(budget)
        if committed is None:
            return "–"
        return money.format_money(committed[place], budget.currency, language())

    def _committed(self, budget: Any) -> tuple[int, int] | None:
        """Summed once a row; a batch's own budget has nothing to sum."""
        if budget.span == Budget.Span.BATCH:
            return None
        if not hasattr(budget, "committed"):
            at = timezone.now()
            if budget.month is not None:
                at = at.replace(year=budget.month.year, month=budget.month.month, day=1)
            budget.committed = committed_minor(budget.currency, at=at)
        committed: tuple[int, int] = budget.committed
        return committed
