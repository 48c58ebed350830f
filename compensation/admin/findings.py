"""Findings of reconciliation: the list to work through, and a page each with what can be done."""

from typing import Any

import pghistory.core
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.accounts.models import User
from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from backoffice.money import format_money
from compensation.admin.doors import call, post_only
from compensation.admin.looks import customer_cell, language, unbroken
from compensation.models import Finding
from compensation.models.reconciliation import FindingKind as Kind
from compensation.reconciliation import remedies

NAME = "compensation_finding"
LABELS = {"open": "warning", "acknowledged": "info", "closed": "success"}
TONES = {"open": "warn", "acknowledged": "", "closed": "good"}


@admin.register(Finding)
class FindingAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """Newest first; each page says what the difference is and offers its remedies."""

    empty_hint = gettext_lazy("No finding: our books and Stripe's agree as far as was compared.")
    list_display = ("number", "kind", "state_label", "who", "amount", "detail", "seen")
    list_display_links = ("number", "kind")
    list_select_related = ("customer",)
    list_filter = (("state", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    search_fields = ("id",)
    search_help_text = gettext_lazy(
        "Customer's reference, Stripe's id of customer or transaction, or the award's number"
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Finding], search_term: str
    ) -> tuple[QuerySet[Finding], bool]:
        term = search_term.strip().removeprefix("#")
        if not term:
            return queryset, False
        wanted = Q(customer__reference=term) | Q(stripe_customer=term) | Q(stripe_id=term)
        if term.isdecimal() and len(term) < 19:  # noqa: PLR2004
            wanted |= Q(award=int(term)) | Q(pk=int(term))
        return queryset.filter(wanted), False

    @display(description=gettext_lazy("finding"))
    def number(self, finding: Finding) -> str:
        return f"F-{finding.pk}"

    @display(description=gettext_lazy("state"), label=LABELS)
    def state_label(self, finding: Finding) -> tuple[str, str]:
        return finding.state, finding.get_state_display()

    @display(description=gettext_lazy("customer"))
    def who(self, finding: Any) -> SafeString:
        return customer_cell(finding)

    @display(description=gettext_lazy("Stripe's less ours"))
    def amount(self, finding: Finding) -> SafeString | str:
        if not finding.currency:
            return "–"
        amount = format_money(finding.difference_minor, finding.currency, language())
        return unbroken(amount)

    @display(description=gettext_lazy("last seen"))
    def seen(self, finding: Finding) -> SafeString:
        return unbroken(moment(finding.seen_at))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = super().get_urls()
        own = [
            path(f"<int:pk>/{name}/", wrap(view), name=f"{NAME}_{name}")
            for name, view in [
                ("accept", self.accept_view),
                ("reopen", self.reopen_view),
                ("issue_again", self.issue_again_view),
                ("take_back", self.take_back_view),
                ("compare", self.compare_view),
            ]
        ]
        return own + urls

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The difference, both sides of it, its remedies and its history."""
        if not object_id.isdecimal():
            raise Http404("There is no such finding.")
        rows = Finding.objects.select_related(
            "customer", "award__batch", "settled_by", "first_run", "last_run"
        )
        finding = get_object_or_404(rows, pk=object_id)
        if not self.has_view_permission(request, finding):
            raise PermissionDenied
        may_settle = request.user.has_perm(remedies.PERMISSION)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": finding,
            "title": f"F-{finding.pk}",
            "finding": finding,
            "tone": TONES[finding.state],
            "label": LABELS[finding.state],
            "advice": _advice(finding),
            "accept_words": _accept_words(finding),
            "may_settle": may_settle,
            "can_take_back": remedies.can_take_back(finding)
            and request.user.has_perm(remedies.TAKE_BACK),
            "can_issue_again": remedies.can_issue_again(finding),
            "steps": _steps(finding),
        }
        return TemplateResponse(request, "admin/compensation/reconciliation/finding.html", context)

    def accept_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, remedies.PERMISSION):
            return refusal
        finding, by = get_object_or_404(Finding, pk=pk), _person(request)
        reason = request.POST.get("reason", "")
        said = _("Accepted. It stays so while its figures stay the same.")
        call(request, lambda: remedies.accept(finding, by=by, reason=reason), said)
        return redirect(f"admin:{NAME}_change", pk)

    def reopen_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, remedies.PERMISSION):
            return refusal
        finding, by = get_object_or_404(Finding, pk=pk), _person(request)
        call(request, lambda: remedies.reopen(finding, by=by), _("It is open again."))
        return redirect(f"admin:{NAME}_change", pk)

    def issue_again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, remedies.PERMISSION):
            return refusal
        finding, by = get_object_or_404(Finding, pk=pk), _person(request)
        reason = request.POST.get("reason", "")
        said = _("The issuer looks it up at Stripe, and sends it only if it is not there.")
        call(request, lambda: remedies.issue_again(finding, by=by, reason=reason), said)
        return redirect(f"admin:{NAME}_change", pk)

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, remedies.TAKE_BACK):
            return refusal
        finding, by = get_object_or_404(Finding, pk=pk), _person(request)
        reason = request.POST.get("reason", "")
        said = _("Proposed. Somebody else approves it, then it is taken back at Stripe.")
        call(request, lambda: remedies.take_back(finding, by=by, reason=reason), said)
        return redirect(f"admin:{NAME}_change", pk)

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, remedies.PERMISSION):
            return refusal
        finding, by = get_object_or_404(Finding, pk=pk), _person(request)
        said = _("This customer is compared now: reload in a moment.")
        call(request, lambda: remedies.compare_again(finding, by=by), said)
        return redirect(f"admin:{NAME}_change", pk)


def _person(request: HttpRequest) -> Any:
    return request.user


def _advice(finding: Finding) -> str:
    """What it means, and what to do."""
    if finding.state == Finding.State.CLOSED:
        return _("It is gone: nothing to do.")
    if finding.state == Finding.State.ACKNOWLEDGED:
        return _("Accepted as it is; it opens again should its figures change.")
    return {
        Kind.MISSING: _("The customer lacks what we promised: have it looked up and issued."),
        Kind.UNKNOWN: _("Find out who booked it; accept it if it is meant to be there."),
        Kind.AMOUNT: _("Find out who changed it; then accept it, or correct it."),
        Kind.DOUBLED: _(
            "The customer has it twice: take the second one back, or let them keep it."
        ),
        Kind.TRIAL: _("Somebody shortened the trial: give the days again, or accept it."),
        Kind.CONSUMPTION: _("Ask Stripe for the invoice again: its use is booked then."),
        Kind.BALANCE: _("Compare again; if it stays, look at the customer's page at Stripe."),
        Kind.UNREADABLE: _("The customer was deleted at Stripe: their credit went with them."),
    }[Kind(finding.kind)]


def _accept_words(finding: Finding) -> str:
    if finding.kind == Kind.UNKNOWN:
        return _("Accept as made by hand …")
    if finding.kind == Kind.DOUBLED:
        return _("Let the customer keep it …")
    return _("Accept as it is …")


def _steps(finding: Finding) -> list[dict[str, Any]]:
    """What happened to it, oldest first."""
    (event_model,) = pghistory.core.event_models(tracks_model=Finding)
    kept: Any = event_model._default_manager
    events = list(kept.filter(pgh_obj=finding).select_related("pgh_context").order_by("pgh_id"))
    context = [event.pgh_context.metadata if event.pgh_context else {} for event in events]
    people = User.objects.in_bulk({each["user"] for each in context if each.get("user")})
    states = dict(Finding.State.choices)
    return [
        {
            "at": event.pgh_created_at,
            "state": states[event.state],
            "reason": about.get("reason", ""),
            "who": people.get(about.get("user")),
        }
        for event, about in zip(events, context, strict=True)
    ]
