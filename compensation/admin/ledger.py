"""The ledger to read. A database trigger refuses every change; here there is no form either."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from backoffice.money import format_money
from compensation.admin.ledger_pages import LedgerPages
from compensation.admin.looks import language, unbroken
from compensation.models import LedgerEntry


@admin.register(LedgerEntry)
class LedgerEntryAdmin(LedgerPages, ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """Newest first. Amounts are signed: plus is credit the customer gained."""

    list_display = ("booked", "kind_label", "amount", "customer", "award_number", "stripe", "note")
    list_select_related = ("customer",)
    list_filter = (("kind", ChoicesDropdownFilter),)
    search_fields = ("id",)
    search_help_text = _("Customer's reference or Stripe id, or the award's number, in full")
    fields = (
        "booked",
        "kind",
        "amount",
        "customer",
        "award_number",
        "stripe_id",
        "note",
        "previous_hash",
        "hash",
    )
    readonly_fields = ("booked", "amount", "award_number")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LedgerEntry], search_term: str
    ) -> tuple[QuerySet[LedgerEntry], bool]:
        """Exact only: each of these is found by an index."""
        term = search_term.strip().removeprefix("#")
        if not term:
            return queryset, False
        wanted = Q(customer__reference=term) | Q(customer__stripe_customer_id=term)
        if term.isdecimal() and len(term) < 19:  # noqa: PLR2004
            wanted |= Q(award=int(term))
        return queryset.filter(wanted), False

    @display(description=_("booked"))
    def booked(self, entry: LedgerEntry) -> SafeString:
        return unbroken(moment(entry.booked_at))

    @display(
        description=_("kind"),
        label={"credit": "success", "consumed": "info", "reversal": "warning"},
    )
    def kind_label(self, entry: LedgerEntry) -> tuple[str, str]:
        return entry.kind, entry.get_kind_display()

    @display(description=_("amount"))
    def amount(self, entry: LedgerEntry) -> SafeString | str:
        if not entry.amount_minor:
            return "–"
        return unbroken(format_money(entry.amount_minor, entry.currency, language()))

    @display(description=_("award"))
    def award_number(self, entry: LedgerEntry) -> str:
        return f"#{entry.award_id}" if entry.award_id else "–"

    @display(description=_("Stripe"))
    def stripe(self, entry: LedgerEntry) -> str:
        return entry.stripe_id or "–"
