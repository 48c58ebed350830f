"""Claims: the list of what customers say failed, and the page of one."""

from itertools import groupby
from operator import attrgetter
from typing import Any

import pghistory.core
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from compensation.admin.doors import call, post_only
from compensation.admin.looks import AWARD_LABELS, award_value, unbroken
from compensation.claims import answer_to, settle_claim
from compensation.claims.settling import SETTLE
from compensation.claims.wording import awards_of, benefits_in_words
from compensation.models import Claim
from compensation.models.claim import ClaimState

LABELS: dict[str, str] = {
    ClaimState.RECEIVED: "default",
    ClaimState.ANSWERED: "success",
    ClaimState.WITH_PERSON: "warning",
    ClaimState.SETTLED: "info",
}


@admin.register(Claim)
class ClaimAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """Who says so, what came of it, and who decided."""

    empty_hint = _(
        "No customer has claimed anything. They can where the default policy has a claim window, "
        "with “Something did not work and is not listed?” on their account page."
    )
    list_display = (
        "name", "state_label", "outcome_said", "who", "what", "span", "incident_number", "worth",
        "ticket_number",
    )  # fmt: skip
    list_select_related = ("customer", "component", "incident")
    list_filter = (("state", ChoicesDropdownFilter), ("outcome", ChoicesDropdownFilter))
    list_filter_submit = True
    search_fields = ("id",)
    search_help_text = _("Customer's reference, or the number of the claim, ticket or incident")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Claim], search_term: str
    ) -> tuple[QuerySet[Claim], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(customer__reference=term) | Q(ticket_number=term) | Q(incident__number=term)
        number = term.removeprefix("C-")
        if number.isdecimal() and len(number) < 19:  # noqa: PLR2004
            wanted |= Q(pk=int(number))
        return queryset.filter(wanted), False

    @display(description=_("claim"))
    def name(self, claim: Claim) -> SafeString:
        return unbroken(claim.number)

    @display(description=_("state"), label=LABELS)
    def state_label(self, claim: Claim) -> tuple[str, str]:
        return claim.state, claim.get_state_display()

    @display(description=_("outcome"))
    def outcome_said(self, claim: Claim) -> str:
        return claim.get_outcome_display()

    @display(description=_("customer"))
    def who(self, claim: Claim) -> str:
        return str(claim.customer)

    @display(description=_("component"), empty_value="–")
    def what(self, claim: Claim) -> str | None:
        return claim.component.name if claim.component else None

    @display(description=_("from"))
    def span(self, claim: Claim) -> SafeString:
        return unbroken(moment(claim.starts_at))

    @display(description=_("incident"))
    def incident_number(self, claim: Claim) -> SafeString:
        return unbroken(claim.incident.number if claim.incident else "–")

    @display(description=_("comes to"))
    def worth(self, claim: Claim) -> SafeString:
        return unbroken(benefits_in_words(claim.decision.get("benefits", [])) or "–")

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return claim_urls(self.admin_site) + urls

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What the customer says, what was answered from which facts, and where it stands."""
        claims = Claim.objects.select_related(
            "customer", "subscription", "component", "incident", "version__policy", "batch",
            "decided_by",
        )  # fmt: skip
        claim = claims.filter(pk=int(object_id) if object_id.isdecimal() else 0).first()
        if claim is None:
            raise Http404("There is no such claim.")
        if not self.has_view_permission(request, claim):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": claim,
            "title": claim.number,
            "claim": claim,
            "label": LABELS[claim.state],
            "tone": "warn" if claim.state == ClaimState.WITH_PERSON else "",
            "answer": answer_to(claim),
            "worth": benefits_in_words(claim.decision.get("benefits", [])),
            "awards": [
                (award, award_value(award), AWARD_LABELS[award.state])
                for award in awards_of(claim).select_related("batch")
            ],
            "steps": _steps(claim),
            "may_settle": claim.state == ClaimState.WITH_PERSON and request.user.has_perm(SETTLE),
            "ticket": claim.ticket_number.removeprefix("T-"),
        }
        return TemplateResponse(request, "admin/compensation/claim/page.html", context)


def _steps(claim: Claim) -> list[Any]:
    """The moves, without what was noted between them (its batch, its ticket)."""
    (event_model,) = pghistory.core.event_models(tracks_model=Claim)
    events = event_model._default_manager.filter(pgh_obj=claim).order_by("pgh_id")
    moves = groupby(events, key=attrgetter("state", "outcome"))
    return [next(same) for _said, same in moves]


def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """A person says what became of it."""
    if refusal := post_only(request, SETTLE):
        return refusal
    claim = get_object_or_404(Claim, pk=pk)
    is_accepted = request.POST.get("is_accepted") == "yes"
    note = request.POST.get("note", "")
    call(
        request,
        lambda: settle_claim(claim, by=request.user, is_accepted=is_accepted, note=note),  # type: ignore[arg-type]
        _("{number} is settled.").format(number=claim.number),
    )
    return redirect("admin:compensation_claim_change", pk)


def claim_urls(site: AdminSite) -> list[URLPattern]:
    return [
        path(
            "<int:pk>/settle/",
            site.admin_view(settle),
            name="compensation_claim_settle",
        )
    ]
