"""On a ticket's page: the incident it is about, how sure that is and why, and the buttons."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from incidents.models import Incident
from support import matching
from support.admin.flood.asking import need, refusal, wrong_method
from support.matching.candidates import recent_incidents
from support.models import IncidentMatch, Ticket

MAY_LINK = ("support.answer_ticket", "support.send_mass_reply")
State = IncidentMatch.State


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    doors = {
        "tickets/<int:pk>/": (card_view, "support_ticket_incident"),
        "tickets/<int:pk>/link/": (link_view, "support_ticket_link"),
        "tickets/<int:pk>/unlink/": (unlink_view, "support_ticket_unlink"),
        "<int:pk>/confirm/": (confirm_view, "support_incidentmatch_confirm"),
        "<int:pk>/reject/": (reject_view, "support_incidentmatch_reject"),
    }
    return [path(route, wrap(view), name=name) for route, (view, name) in doors.items()]


def card_view(request: HttpRequest, pk: int) -> HttpResponse:
    """The card, as the ticket's page loads it."""
    need(request, "support.view_ticket")
    return _card(request, _ticket(request, pk))


def link_view(request: HttpRequest, pk: int) -> HttpResponse:
    """POST `incident`, its number: say that the ticket is about it."""
    user = need(request, *MAY_LINK)
    if answer := wrong_method(request, "POST"):
        return answer
    ticket = _ticket(request, pk)
    incident = Incident.objects.filter(number=request.POST.get("incident", "").strip()).first()
    if incident is None:
        return _card(request, ticket, _("Choose the incident."))
    reason = request.POST.get("reason", "")
    return _card(
        request, ticket, refusal(lambda: matching.link(ticket, incident, by=user, reason=reason))
    )


def unlink_view(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: it is not about the incident."""
    user = need(request, *MAY_LINK)
    if answer := wrong_method(request, "POST"):
        return answer
    ticket = _ticket(request, pk)
    reason = request.POST.get("reason", "")
    return _card(request, ticket, refusal(lambda: matching.unlink(ticket, by=user, reason=reason)))


def confirm_view(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: the matcher is right."""
    return _decided(request, pk, matching.confirm)


def reject_view(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: the matcher is wrong."""
    return _decided(request, pk, matching.reject)


def _decided(request: HttpRequest, pk: int, verb: Any) -> HttpResponse:
    user = need(request, *MAY_LINK)
    if answer := wrong_method(request, "POST"):
        return answer
    match = get_object_or_404(
        IncidentMatch.objects.select_related("incident"),
        pk=pk,
        ticket__in=Ticket.objects.seen_by(request.user),
    )
    return _card(request, match.ticket, refusal(lambda: verb(match, by=user)))


def _ticket(request: HttpRequest, pk: int) -> Ticket:
    return get_object_or_404(Ticket.objects.seen_by(request.user), pk=pk)


def _card(request: HttpRequest, ticket: Ticket, problem: str = "") -> HttpResponse:
    context = {**page_part(ticket, request.user), "problem": problem}
    return TemplateResponse(request, "admin/support/ticket/incident.html", context)


def page_part(ticket: Ticket, user: Any) -> dict[str, Any]:
    """What the card shows; three queries."""
    ticket.refresh_from_db(fields=["incident", "merged_into"])
    matches = list(
        IncidentMatch.objects.filter(ticket=ticket)
        .select_related("incident", "decided_by")
        .order_by("-confidence", "-pk")
    )
    may_link = any(user.has_perm(name) for name in MAY_LINK) and ticket.merged_into_id is None
    linked = next((match for match in matches if match.state == State.LINKED), None)
    named = {match.incident_id for match in matches if match.state == State.PROPOSED}
    others = [
        incident
        for incident in recent_incidents()
        if incident.pk != ticket.incident_id and incident.pk not in named
    ]
    return {
        "ticket": ticket,
        "incident": ticket.incident,
        "linked": _line(linked) if linked else None,
        "proposed": [_line(match) for match in matches if match.state == State.PROPOSED],
        "rejected": [match for match in matches if match.state == State.REJECTED],
        "may_link": may_link,
        "others": others if may_link else [],
    }


def _line(match: IncidentMatch) -> dict[str, Any]:
    return {
        "match": match,
        "percent": None if match.confidence is None else match.confidence / 10,
        "reasons": matching.reasons(match.evidence),
    }
