"""Awards as lists to look through and pages to read; what may be done stands on the batch."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.listing import BigList, ReadOnly, TypedFilter
from compensation.admin import batch_doors, looks, unknown
from compensation.admin.award_steps import award_steps
from compensation.admin.looks import AWARD_LABELS, award_value, customer_cell, unbroken
from compensation.admin.reversal_doors import ask_award
from compensation.explanations import explain
from compensation.filters import awards_of_batch
from compensation.issuing.deciding import DECIDE
from compensation.models import Award, Reversal
from compensation.models.reversal import OPEN_REVERSAL
from compensation.reversing.asking import ASK

# What the page and the sum read of other rows.
EXPLAINED = (
    "customer", "subscription", "incident", "batch__version__policy", "excluded_by", "given_by",
)  # fmt: skip


TONES: dict[str, str] = {Award.State.FAILED: "bad", Award.State.UNKNOWN: "warn"}


class BatchFilter(TypedFilter):
    """By a batch's number. A list of all batches would grow for ever."""

    title = _("batch")
    parameter_name = "batch"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Award]) -> QuerySet[Award]:
        number = self.value()
        return awards_of_batch(queryset, number) if number else queryset


class ExclusionFilter(ChoicesDropdownFilter):  # type: ignore[misc]
    """Only awards left out have a reason: saying so lets their index find them."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Award]) -> QuerySet[Award]:
        narrowed: QuerySet[Award] = super().queryset(request, queryset)
        return narrowed.filter(state=Award.State.EXCLUDED) if self.value() else narrowed


class CurrencyFilter(TypedFilter):
    """By a currency's code. Asking the table which there are would read all of it."""

    title = _("currency")
    parameter_name = "currency"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Award]) -> QuerySet[Award]:
        code = self.value()
        return queryset.filter(currency=code.upper()) if code else queryset


@admin.register(Award)
class AwardAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """A million rows and more: one bounded count, one page, customers and batches joined."""

    list_display = (
        "number",
        "who",
        "what",
        "state_label",
        "note",
        "batch_number",
        "incident_number",
    )
    list_display_links = ("number",)
    list_select_related = ("customer", "batch", "incident")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("source", ChoicesDropdownFilter),
        ("benefit", ChoicesDropdownFilter),
        ("exclusion", ExclusionFilter),
        BatchFilter,
        CurrencyFilter,
    )
    list_filter_submit = True
    search_fields = ("id",)
    search_help_text = _("Customer's reference or Stripe id, or the award's number, in full")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Award], search_term: str
    ) -> tuple[QuerySet[Award], bool]:
        """Exact only: each of these is found by an index."""
        term = search_term.strip().removeprefix("#")
        if not term:
            return queryset, False
        wanted = Q(customer__reference=term) | Q(customer__stripe_customer_id=term)
        if term.isdecimal() and len(term) < 19:  # noqa: PLR2004
            wanted |= Q(pk=int(term))
        return queryset.filter(wanted), False

    @display(description=_("award"))
    def number(self, award: Award) -> str:
        return f"#{award.pk}"

    @display(description=_("customer"))
    def who(self, award: Award) -> SafeString:
        return customer_cell(award)

    @display(description=_("gets"))
    def what(self, award: Award) -> SafeString:
        return unbroken(award_value(award))

    @display(description=_("state"), label=AWARD_LABELS)
    def state_label(self, award: Award) -> tuple[str, str]:
        return award.state, award.get_state_display()

    @display(description=_("why"), empty_value="")
    def note(self, award: Award) -> str:
        if award.state == Award.State.EXCLUDED:
            return award.exclusion_reason or award.get_exclusion_display()
        return award.error_message[:80]

    @display(description=_("batch"))
    def batch_number(self, award: Award) -> SafeString:
        return unbroken(award.batch or "–")

    @display(description=_("incident"))
    def incident_number(self, award: Award) -> SafeString:
        return unbroken(award.incident.number if award.incident else "–")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(f"<int:pk>/{name}/", wrap(view), name=f"compensation_award_{name}")
            for name, view in [
                ("explanation", self.explanation_view),
                ("exclude", batch_doors.exclude),
                ("include", batch_doors.include),
                ("retry", batch_doors.retry),
                ("reverse", ask_award),
            ]
        ]
        urls: list[URLPattern] = super().get_urls()
        return [*own, *unknown.unknown_urls(self.admin_site), *urls]

    def explanation_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The sum of one award, to put under its row."""
        award = get_object_or_404(Award.objects.select_related(*EXPLAINED), pk=pk)
        if not self.has_view_permission(request, award):
            raise PermissionDenied
        words = explain(award, language=looks.language())
        return HttpResponse(format_html('<p class="am-explanation">{}</p>', words))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The award's sum and its whole way, to read."""
        if not object_id.isdecimal():
            raise Http404("There is no such award.")
        award = get_object_or_404(Award.objects.select_related(*EXPLAINED), pk=object_id)
        if not self.has_view_permission(request, award):
            raise PermissionDenied
        entries = list(award.ledger_entries.order_by("id"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": award,
            "title": f"#{award.pk}",
            "award": award,
            "value": award_value(award),
            "label": AWARD_LABELS[award.state],
            "explanation": explain(award, language=looks.language()),
            "entries": entries,
            "left_minor": sum(entry.amount_minor for entry in entries),
            "steps": award_steps(award),
            "tone": TONES.get(award.state, ""),
            "kept_minor": award.amount_minor - award.reversed_minor,
            "reversals": (back := _reversals(award)),
            "may_reverse": award.state == Award.State.ISSUED
            and not any(each.state in OPEN_REVERSAL for each in back)
            and request.user.has_perm(ASK),
            "may_look": request.user.has_perm(unknown.LOOK),
            "may_decide": request.user.has_perm(DECIDE),
            "may_retry": award.state == Award.State.FAILED
            and request.user.has_perm("compensation.retry_award"),
        }
        return TemplateResponse(request, "admin/compensation/award/page.html", context)


def _reversals(award: Award) -> list[Reversal]:
    """The ways back that were asked for, the newest first."""
    asked = award.reversals.select_related("request__asked_by").order_by("-id")
    return list(asked)
