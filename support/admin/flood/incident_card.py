"""On an incident's page: its tickets, how many more came than usual, and its mass replies."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import ngettext

from backoffice.states import MoveError
from incidents.models import Incident
from support import mass_reply, matching
from support.admin.flood.asking import need, number_of, refusal, wrong_method
from support.admin.flood.ticket_card import MAY_LINK
from support.matching.surge import surge
from support.models import IncidentMatch, MassReply, Ticket
from support.models.ticket import UNSOLVED

SEND = "support.send_mass_reply"
STEPS = (450, 550, 650, 700)


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    doors = {
        "incident/<int:pk>/": (card_view, "support_incident_tickets"),
        "incident/<int:pk>/confirm/": (confirm_above_view, "support_incident_confirm_above"),
        "incident/<int:pk>/draft/": (draft_view, "support_incident_draft_reply"),
    }
    return [path(route, wrap(view), name=name) for route, (view, name) in doors.items()]


def card_view(request: HttpRequest, pk: int) -> HttpResponse:
    """An html fragment: how many tickets are linked and proposed, and what to do with them."""
    need(request, "support.view_ticket")
    incident = get_object_or_404(Incident, pk=pk)
    context = {
        "incident": incident,
        "tickets": _counts(incident, request.user),
        "steps": _steps(incident, request.user),
        "surge": surge() if incident.is_running else None,
        "replies": _replies(incident),
        "may_link": any(request.user.has_perm(name) for name in MAY_LINK),
        "may_send": request.user.has_perm(SEND),
        "link_from": settings.SUPPORT_MATCH_LINK_FROM / 10,
    }
    return TemplateResponse(request, "admin/support/incident/tickets.html", context)


def confirm_above_view(request: HttpRequest, pk: int) -> HttpResponse:
    """POST `confidence`: confirm the proposals that are at least so sure."""
    user = need(request, *MAY_LINK)
    if answer := wrong_method(request, "POST"):
        return answer
    incident = get_object_or_404(Incident, pk=pk)
    least = number_of(request.POST.get("confidence"))
    done: list[int] = []
    problem = refusal(lambda: done.append(matching.confirm_above(incident, least, by=user)))
    if problem:
        messages.error(request, problem)
    else:
        said = ngettext("%(n)s ticket is linked now.", "%(n)s tickets are linked now.", done[0])
        messages.success(request, said % {"n": done[0]})
    return redirect("admin:incidents_incident_change", pk)


def draft_view(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: draft one answer to all its tickets, or go on with the draft there is."""
    user = need(request, SEND)
    if answer := wrong_method(request, "POST"):
        return answer
    incident = get_object_or_404(Incident, pk=pk)
    try:
        draft = mass_reply.draft(incident, by=user)
    except MoveError as error:
        messages.error(request, str(error))
        return redirect("admin:incidents_incident_change", pk)
    return redirect("admin:support_massreply_change", draft.pk)


def _counts(incident: Incident, user: Any) -> dict[str, int]:
    linked = Ticket.objects.filter(incident=incident, merged_into=None)
    counts = linked.aggregate(
        linked=Count("id"), unsolved=Count("id", filter=Q(status__in=UNSOLVED))
    )
    return {**counts, "proposed": _proposals(incident, user).count()}


def _proposals(incident: Incident, user: Any) -> Any:
    """Of tickets that the reader sees, and that are linked to nothing meanwhile."""
    seen = Ticket.objects.seen_by(user).filter(incident=None)
    return IncidentMatch.objects.filter(
        incident=incident, state=IncidentMatch.State.PROPOSED, ticket__in=seen.values("pk")
    )


def _steps(incident: Incident, user: Any) -> list[tuple[int, float, int]]:
    """(from which confidence on, the same in percent, how many that would confirm)."""
    counts = _proposals(incident, user).aggregate(
        **{f"from_{step}": Count("id", filter=Q(confidence__gte=step)) for step in STEPS}
    )
    # of steps that come to the same only the surest
    by_count = {counts[f"from_{step}"]: step for step in STEPS if counts[f"from_{step}"]}
    return [(step, step / 10, count) for count, step in by_count.items()]


def _replies(incident: Incident) -> list[MassReply]:
    state = "recipients__state"
    return list(
        MassReply.objects.filter(incident=incident).annotate(
            written=Count("recipients", filter=Q(**{state: "written"})),
            waiting=Count("recipients", filter=Q(**{state: "waiting"})),
        )
    )
