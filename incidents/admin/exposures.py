"""Who was hit, to look at: a cohort's exposures by the page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import TextFilter
from unfold.decorators import display

from backoffice.display import duration
from incidents.models import Exposure


class CohortFilter(TextFilter):  # type: ignore[misc]
    """By a cohort's id, as the incident's page links it. A list of all would grow for ever."""

    title = _("cohort")
    parameter_name = "cohort"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exposure]) -> QuerySet[Exposure]:
        value = self.value() or ""
        return queryset.filter(cohort=int(value)) if value.isdecimal() else queryset


@admin.register(Exposure)
class ExposureAdmin(ModelAdmin):  # type: ignore[misc]
    """Read only: exposures are what `cohorts.resolve` found."""

    list_display = ("customer", "subscription", "cohort", "major", "partly", "source")
    list_display_links = None
    list_select_related = ("customer", "subscription", "cohort")
    list_filter = (CohortFilter,)
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("customer__reference__exact", "subscription__reference__exact")
    search_help_text = _("A customer's or subscription's reference, in full")
    ordering = ("-id",)
    sortable_by = ()
    actions = None
    # Read-only fields build no choices: a list of a million subscriptions to choose from.
    readonly_fields = (
        "incident", "cohort", "customer", "subscription", "major_seconds", "partial_seconds",
    )  # fmt: skip
    fields = readonly_fields

    @display(description=_("out of order"))
    def major(self, exposure: Exposure) -> str:
        return duration(exposure.major_seconds) if exposure.major_seconds else "–"

    @display(description=_("partly"))
    def partly(self, exposure: Exposure) -> str:
        return duration(exposure.partial_seconds) if exposure.partial_seconds else "–"

    @display(description=_("how we know"))
    def source(self, exposure: Exposure) -> Any:
        return _("from the outages") if exposure.profile_id else _("as the list says")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
