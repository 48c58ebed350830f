"""Reversals: the list that approvers work off, and the page of one."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from compensation.admin.looks import amounts, award_value, number, unbroken
from compensation.admin.reversal_choices import reversal_choices, what_goes
from compensation.admin.reversal_doors import request_urls
from compensation.models import Reversal, ReversalRequest
from compensation.models.reversal import RequestState, ReversalState
from compensation.reversing.outlook import Figures, figures_of

SHOWN = 20
LABELS: dict[str, str] = {
    RequestState.ASKED: "warning",
    RequestState.APPROVED: "info",
    RequestState.DONE: "success",
    RequestState.REJECTED: "danger",
    RequestState.WITHDRAWN: "default",
}


@admin.register(ReversalRequest)
class ReversalRequestAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """Everything that changes one is a button on its page, never a form field."""

    empty_hint = _(
        "Nothing was asked to be taken back. To ask, open the award or the issued batch and press "
        "“Take back …”."
    )
    list_display = ("name", "state_label", "about", "cause_said", "signed", "asked", "asker")
    list_select_related = ("batch", "award__customer", "asked_by")
    list_filter = (("state", ChoicesDropdownFilter),)
    search_fields = ("batch__number",)
    search_help_text = _("Number of the batch")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReversalRequest]:
        queryset: QuerySet[ReversalRequest] = super().get_queryset(request)
        return queryset.annotate(signatures=Count("approvals"))

    @display(description=_("number"))
    def name(self, row: ReversalRequest) -> SafeString:
        return unbroken(row.number)

    @display(description=_("state"), label=LABELS)
    def state_label(self, row: ReversalRequest) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=_("of"))
    def about(self, row: ReversalRequest) -> str:
        return about(row)

    @display(description=_("why"))
    def cause_said(self, row: ReversalRequest) -> str:
        return row.get_cause_display()

    @display(description=_("approvals"))
    def signed(self, row: Any) -> str:
        return f"{row.signatures} / {row.approvals_needed}"

    @display(description=_("asked"))
    def asked(self, row: ReversalRequest) -> SafeString:
        return unbroken(moment(row.asked_at))

    @display(description=_("by"))
    def asker(self, row: ReversalRequest) -> str:
        return str(row.asked_by or row.asked_by_key)

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return request_urls(self.admin_site) + urls

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What is asked for, by whom and why; the buttons; and how far it is."""
        row = (
            ReversalRequest.objects.select_related("batch", "award__customer", "asked_by")
            .filter(pk=int(object_id) if object_id.isdecimal() else 0)
            .first()
        )
        if row is None:
            raise Http404("There is no such reversal.")
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        figures = figures_of(row)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": row.number,
            "row": row,
            "label": LABELS[row.state],
            "about": about(row),
            "what": what_goes(figures),
            "lead": lead(row, figures),
            "figures": figures,
            "taken": amounts(figures.taken_minor),
            "kept": amounts(figures.kept_minor),
            "approvals": row.approvals.select_related("user").order_by("signed_at"),
            "choices": reversal_choices(request, row, figures),
            "rows": _rows(row),
            "more": max(figures.awards - SHOWN, 0),
            "may_settle": request.user.has_perm("compensation.approve_reversal"),
        }
        return TemplateResponse(request, "admin/compensation/reversal/page.html", context)


def about(row: ReversalRequest) -> str:
    """Which batch or award it is of, in words."""
    if row.batch is not None:
        return _("Batch {number}").format(number=row.batch.number)
    if row.award is None:
        return ""
    return _("{value} for {customer}").format(
        value=award_value(row.award), customer=row.award.customer
    )


def lead(row: ReversalRequest, figures: Figures) -> tuple[str, str]:
    """What is, and what is to be done; with its tone."""
    if row.problem:
        return row.problem, "bad"
    failed, unknown = figures.by_state["failed"], figures.by_state["unknown"]
    if unknown:
        said = ngettext(
            "{n} outcome is unknown: look at Stripe and decide below.",
            "{n} outcomes are unknown: look at Stripe and decide below.",
            unknown,
        )
        return said.format(n=number(unknown)), "warn"
    if failed:
        said = ngettext(
            "{n} could not be taken back: see to the reason below, then retry it.",
            "{n} could not be taken back: see to the reasons below, then retry them.",
            failed,
        )
        return said.format(n=number(failed)), "warn"
    steps: dict[str, tuple[Any, str]] = {
        RequestState.ASKED: (
            _("Waits for an approval by somebody who did not ask for it."),
            "warn",
        ),
        RequestState.APPROVED: (_("Approved: being taken back. Nothing to do."), ""),
        RequestState.DONE: (_("Done. Nothing to do."), "good"),
        RequestState.REJECTED: (_("Rejected: the customers keep what they have."), "bad"),
        RequestState.WITHDRAWN: (_("Withdrawn: the customers keep what they have."), ""),
    }
    words, tone = steps[row.state]
    return str(words), tone


def _rows(row: ReversalRequest) -> list[tuple[Reversal, str]]:
    """Those that need a person first, then the largest, each with what the award gave."""
    trouble = Case(
        When(state=ReversalState.UNKNOWN, then=Value(0)),
        When(state=ReversalState.FAILED, then=Value(1)),
        default=Value(2),
    )
    reversals = row.reversals.select_related("award__customer").order_by(
        trouble, "-limit_minor", "id"
    )
    return [(each, award_value(each.award)) for each in reversals[:SHOWN]]
