"""Matches as a list, to confirm or reject many; and how right they are by people's words."""

from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from backoffice.listing import BigList, ReadOnly, TypedFilter
from support import matching
from support.admin.flood import incident_card, ticket_card
from support.admin.flood.asking import need, number_of, refusal
from support.models import IncidentMatch, Ticket

STATE_LABELS = {"proposed": "warning", "linked": "success", "rejected": "default"}
DAYS = (7, 30, 90, 365)


class IncidentNumber(TypedFilter):
    title = _("incident")
    parameter_name = "incident"

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[IncidentMatch]
    ) -> QuerySet[IncidentMatch]:
        number = self.value()
        return queryset.filter(incident__number=number) if number else queryset


@admin.register(IncidentMatch)
class IncidentMatchAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """What the matcher found, the newest first; a person's word is one click."""

    list_display = ("about", "state_label", "sure", "incident_number", "why", "word")
    list_select_related = ("ticket__customer", "incident", "decided_by")
    list_filter = (IncidentNumber, ("state", ChoicesDropdownFilter))
    list_filter_submit = True
    list_display_links = None
    fields = readonly_fields = (
        "ticket", "incident", "state", "sure", "why", "decided_by", "decided_at", "created_at",
    )  # fmt: skip
    actions: Any = ("confirm_matches", "reject_matches")
    actions_list = ("measured",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncidentMatch]:
        matches: QuerySet[IncidentMatch] = super().get_queryset(request)
        return matches.filter(ticket__in=Ticket.objects.seen_by(request.user))

    def get_object(self, request: HttpRequest, object_id: str, *more: Any) -> Any:
        # Otherwise the admin would lead whoever sees none on to its first page.
        need(request, "support.view_incidentmatch")
        return super().get_object(request, object_id, *more)

    @display(description=_("ticket"))
    def about(self, match: IncidentMatch) -> SafeString:
        return format_html(
            '<a href="{}">{}</a> <span class="am-ink am-clamp">{}</span>'
            '<span class="am-quiet am-small">{}</span>',
            reverse("admin:support_ticket_change", args=[match.ticket_id]),
            match.ticket.number,
            match.ticket.subject,
            match.ticket.customer or match.ticket.requester_address,
        )

    @display(description=_("state"), label=STATE_LABELS)
    def state_label(self, match: IncidentMatch) -> tuple[str, str]:
        return match.state, match.get_state_display()

    @display(description=_("confidence"))
    def sure(self, match: IncidentMatch) -> str:
        return "–" if match.confidence is None else f"{match.confidence / 10:.0f} %"

    @display(description=_("incident"))
    def incident_number(self, match: IncidentMatch) -> SafeString:
        url = reverse("admin:incidents_incident_change", args=[match.incident_id])
        return format_html('<a href="{}" class="am-num">{}</a>', url, match.incident.number)

    @display(description=_("why"))
    def why(self, match: IncidentMatch) -> str:
        told = [
            f"{sentence}: {', '.join(words)}" if words else sentence.rstrip(".")
            for sentence, words, points in matching.reasons(match.evidence)
            if points
        ]
        return "; ".join(told[:3]) or "–"

    @display(description=_("a person's word"))
    def word(self, match: IncidentMatch) -> str:
        return str(match.decided_by or "–") if match.decided_at else "–"

    @action(description=_("Confirm: link the tickets"), permissions=["link"])
    def confirm_matches(self, request: HttpRequest, matches: QuerySet[IncidentMatch]) -> None:
        self._each(request, matches, matching.confirm, _("%(n)s confirmed."))

    @action(description=_("Reject: not about it"), permissions=["link"])
    def reject_matches(self, request: HttpRequest, matches: QuerySet[IncidentMatch]) -> None:
        self._each(request, matches, matching.reject, _("%(n)s rejected."))

    @action(description=_("How right it is"), url_path="measured", permissions=["view"])
    def measured(self, request: HttpRequest) -> HttpResponse:
        return measure_view(request)

    def has_link_permission(self, request: HttpRequest) -> bool:
        return any(request.user.has_perm(name) for name in ticket_card.MAY_LINK)

    def get_urls(self) -> list[URLPattern]:
        # bound here and not at the top: the site is ready by now
        own = [*ticket_card.urls(), *incident_card.urls()]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def _each(self, request: HttpRequest, matches: Any, verb: Any, said: Any) -> None:
        user: Any = request.user
        problems = [
            f"{match.ticket.number}: {problem}"
            for match in matches.select_related("ticket", "incident")
            if (problem := refusal(partial(verb, match, by=user)))
        ]
        if done := len(matches) - len(problems):
            messages.success(request, said % {"n": done})
        for problem in problems[:5]:
            messages.error(request, problem)


def measure_view(request: HttpRequest) -> HttpResponse:
    """Precision, recall and calibration, by what people said of the last days' matches."""
    need(request, "support.view_incidentmatch")
    days = number_of(request.GET.get("days"))
    days = days if days in DAYS else 30
    context = {
        **admin.site.each_context(request),
        "opts": IncidentMatch._meta,
        "title": _("How right matching is"),
        "days": days,
        "choices": DAYS,
        "measure": matching.measure(timezone.now() - timedelta(days=days)),
    }
    return TemplateResponse(request, "admin/support/match/measure.html", context)
