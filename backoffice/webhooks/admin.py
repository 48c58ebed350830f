"""Stripe's events: to look through, and to settle what could not be handled."""

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly, TypedFilter
from backoffice.webhooks.models import EventState, StripeEvent
from backoffice.webhooks.settling import MAY_SETTLE, ignore, try_again
from compensation.admin.doors import call, post_only
from compensation.admin.looks import unbroken

COLOURS = {
    EventState.WAITING.value: "info",
    EventState.HANDLED.value: "success",
    EventState.IGNORED.value: "default",
    EventState.PARKED.value: "danger",
}


class KindFilter(TypedFilter):
    """By a type in full. Asking the table which there are would read all of it."""

    title = later("type")
    parameter_name = "kind"

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[StripeEvent]
    ) -> QuerySet[StripeEvent]:
        kind = self.value()
        return queryset.filter(kind=kind) if kind else queryset


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """A parked event says why, and waits for a person; all others settle themselves."""

    empty_hint = later(
        "Stripe has told nothing yet: docs/operating.md says how its endpoint is set up."
    )
    list_display = ("received", "kind", "state_label", "customer_link", "why", "seen")
    list_filter = (("state", ChoicesDropdownFilter), KindFilter)
    list_filter_submit = True
    search_fields = ("id",)
    search_help_text = later("Stripe’s id of the event or the customer, in full")
    list_before_template = "admin/webhooks/event/parked.html"
    change_form_outer_before_template = "admin/webhooks/event/settle.html"
    fields = (
        "event_id", "kind", "state", "why", "customer_link", "object_id", "happened", "received",
        "handled", "seen", "attempts", "next", "sent",
    )  # fmt: skip
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "webhooks_stripeevent"
        urls: list[URLPattern] = super().get_urls()
        return [
            path("<int:pk>/again/", wrap(self.again_view), name=f"{name}_again"),
            path("<int:pk>/ignore/", wrap(self.ignore_view), name=f"{name}_ignore"),
            *urls,
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        rows: QuerySet[StripeEvent] = super().get_queryset(request)
        # The list shows nothing of them.
        return rows.defer("body")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the number of those that wait for a person."""
        parked = StripeEvent.objects.filter(state=EventState.PARKED).count()
        page: HttpResponse = super().changelist_view(
            request, {**(extra_context or {}), "parked": parked}
        )
        return page

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StripeEvent], search_term: str
    ) -> tuple[QuerySet[StripeEvent], bool]:
        """Exact only: each of these is found by an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(Q(event_id=term) | Q(customer_id=term)), False

    def get_object(self, request: HttpRequest, object_id: str, *more: Any) -> StripeEvent | None:
        # Otherwise the admin would lead whoever may not see it on to its first page.
        if not self.has_view_permission(request):
            raise PermissionDenied
        found: StripeEvent | None = super().get_object(request, object_id, *more)
        return found

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, MAY_SETTLE):
            return refusal
        event = get_object_or_404(StripeEvent, pk=pk)
        by: Any = request.user
        call(request, lambda: try_again(event, by=by), _("It is handled again in a moment."))
        return redirect("admin:webhooks_stripeevent_change", pk)

    def ignore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, MAY_SETTLE):
            return refusal
        event = get_object_or_404(StripeEvent, pk=pk)
        by: Any = request.user
        reason = request.POST.get("reason", "")
        call(request, lambda: ignore(event, by=by, reason=reason), _("It is ignored."))
        return redirect("admin:webhooks_stripeevent_change", pk)

    @display(description=later("received"), ordering="id")
    def received(self, event: StripeEvent) -> SafeString:
        return unbroken(moment(event.received_at))

    @display(description=later("happened"))
    def happened(self, event: StripeEvent) -> SafeString:
        return unbroken(moment(event.created_at))

    @display(description=later("handled"))
    def handled(self, event: StripeEvent) -> SafeString | str:
        return unbroken(moment(event.handled_at)) if event.handled_at else "–"

    @display(description=later("next attempt"))
    def next(self, event: StripeEvent) -> SafeString | str:
        return moment(event.next_at) if event.state == EventState.WAITING else "–"

    @display(description=later("state"), label=COLOURS)
    def state_label(self, event: StripeEvent) -> tuple[str, str]:
        return event.state, event.get_state_display()

    @display(description=later("customer"))
    def customer_link(self, event: StripeEvent) -> SafeString | str:
        if not event.customer_id:
            return "–"
        url = reverse("admin:customers_customer_changelist")
        return format_html('<a href="{}?q={}">{}</a>', url, event.customer_id, event.customer_id)

    @display(description=later("why"))
    def why(self, event: StripeEvent) -> str:
        return (event.error or event.note)[:200] or "–"

    @display(description=later("deliveries"))
    def seen(self, event: StripeEvent) -> str:
        return str(event.deliveries)

    @display(description=later("as it came"))
    def sent(self, event: StripeEvent) -> SafeString:
        said = json.dumps(json.loads(bytes(event.body)), indent=2, ensure_ascii=False)
        return format_html('<pre class="am-mono am-scroll">{}</pre>', said)
