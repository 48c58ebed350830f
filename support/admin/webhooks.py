"""Webhooks: where news of tickets goes, and the log of what was sent."""

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from compensation.admin.doors import call, post_only
from support.admin.desk_forms import EndpointForm
from support.models import TicketEvent, WebhookDelivery, WebhookEndpoint
from support.webhooks import new_secret, rotate_secret, send_again, switch_on, try_endpoint

MAY_CHANGE = "support.change_webhookendpoint"
BACK = "admin:support_webhookendpoint_change"


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin):  # type: ignore[misc]
    """The secret is shown when it is made, and never again."""

    form = EndpointForm
    empty_hint = later("No webhook yet: docs/webhooks.md tells what other systems are told.")
    list_display = ("name", "url", "listens_to", "state", "log")
    search_fields = ("name", "url")
    change_form_outer_before_template = "admin/support/webhook/state.html"

    class Media:
        css = {"all": ["support/setup.css"]}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "support_webhookendpoint"
        urls: list[URLPattern] = super().get_urls()
        return [
            path("<int:pk>/secret/", wrap(self.secret_view), name=f"{name}_secret"),
            path("<int:pk>/try/", wrap(self.try_view), name=f"{name}_try"),
            path("<int:pk>/on/", wrap(self.on_view), name=f"{name}_on"),
            *urls,
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if not change:
            obj.created_by = request.user
            obj.secret = new_secret()
        elif obj.is_active and "is_active" in form.changed_data:
            obj.failures, obj.failing_since = 0, None
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._secret_page(request, obj)

    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, MAY_CHANGE):
            return refusal
        endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
        by: Any = request.user
        rotate_secret(endpoint, by=by)
        return self._secret_page(request, endpoint)

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, MAY_CHANGE):
            return refusal
        by: Any = request.user
        outcome = try_endpoint(get_object_or_404(WebhookEndpoint, pk=pk), by=by)
        if outcome.is_delivered:
            said = _("It arrived: status %(status)s.") % {"status": outcome.status}
            self.message_user(request, said, "success")
        else:
            said = _("It did not arrive. %(error)s") % {"error": outcome.error}
            self.message_user(request, said, "error")
        return redirect(BACK, pk)

    def on_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, MAY_CHANGE):
            return refusal
        endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
        by: Any = request.user
        call(request, lambda: switch_on(endpoint, by=by), _("Switched on: what waits is sent now."))
        return redirect(BACK, pk)

    def _secret_page(self, request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
        """The secret here and now, and in no session."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("The webhook's secret"),
            "opts": self.opts,
            "endpoint": endpoint,
        }
        return TemplateResponse(request, "admin/support/webhook/secret.html", context)

    @display(description=later("events"))
    def listens_to(self, endpoint: WebhookEndpoint) -> str:
        kinds = dict(TicketEvent.Kind.choices)
        return ", ".join(str(kinds.get(kind, kind)) for kind in endpoint.on_events) or _("all")

    @display(
        description=later("state"),
        label={"on": "success", "failing": "warning", "off": "danger"},
    )
    def state(self, endpoint: WebhookEndpoint) -> tuple[str, str | SafeString]:
        if not endpoint.is_active:
            return "off", _("off")
        if endpoint.failing_since:
            return "failing", format_html(_("failing since {}"), moment(endpoint.failing_since))
        return "on", _("on")

    @display(description=later("log"))
    def log(self, endpoint: WebhookEndpoint) -> SafeString:
        url = reverse("admin:support_webhookdelivery_changelist")
        link = format_html("{}?endpoint__id__exact={}", url, endpoint.pk)
        return format_html('<a href="{}">{}</a>', link, _("deliveries"))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """What was sent, what came back, and what waits; kept for 30 days."""

    empty_hint = later("Nothing was sent yet.")
    list_display = ("stored", "endpoint", "kind", "ticket_link", "state_label", "attempts", "why")
    list_select_related = ("endpoint", "event__ticket")
    list_filter = (("state", ChoicesDropdownFilter), ("endpoint", RelatedDropdownFilter))
    change_form_outer_before_template = "admin/support/webhook/again.html"
    fields = (
        "endpoint", "kind", "ticket_link", "stored", "state", "attempts", "next",
        "status_code", "why", "answer", "delivered", "sent",
    )  # fmt: skip
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.again_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("<int:pk>/again/", view, name="support_webhookdelivery_again"), *urls]

    def get_object(self, request: HttpRequest, object_id: str, *more: Any) -> Any:
        # Otherwise the admin would lead whoever may not see it on to its first page.
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().get_object(request, object_id, *more)

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, MAY_CHANGE):
            return refusal
        delivery = get_object_or_404(WebhookDelivery, pk=pk)
        by: Any = request.user
        call(request, lambda: send_again(delivery, by=by), _("It is sent again in a moment."))
        return redirect("admin:support_webhookdelivery_change", pk)

    @display(description=later("stored"), ordering="id")
    def stored(self, row: WebhookDelivery) -> SafeString | str:
        return moment(row.created_at)

    @display(description=later("event"))
    def kind(self, row: WebhookDelivery) -> str:
        return str(row.payload.get("type", row.event.kind))

    @display(description=later("ticket"))
    def ticket_link(self, row: WebhookDelivery) -> SafeString:
        url = reverse("admin:support_ticket_change", args=[row.event.ticket_id])
        return format_html(
            '<a class="whitespace-nowrap" href="{}">{}</a>', url, row.event.ticket.number
        )

    @display(
        description=later("state"),
        label={"waiting": "info", "delivered": "success", "failed": "danger"},
    )
    def state_label(self, row: WebhookDelivery) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=later("problem"))
    def why(self, row: WebhookDelivery) -> str:
        return row.error or "–"

    @display(description=later("next attempt"))
    def next(self, row: WebhookDelivery) -> SafeString | str:
        return moment(row.next_at) if row.state == WebhookDelivery.State.WAITING else "–"

    @display(description=later("delivered"))
    def delivered(self, row: WebhookDelivery) -> SafeString | str:
        return moment(row.delivered_at) if row.delivered_at else "–"

    @display(description=later("message"))
    def sent(self, row: WebhookDelivery) -> SafeString:
        said = json.dumps(row.payload, indent=2, ensure_ascii=False)
        return format_html('<pre class="am-mono am-scroll">{}</pre>', said)
