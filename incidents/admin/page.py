"""All that stands on an incident's page."""

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from incidents.admin.choices import choices, lead
from incidents.admin.timeline import timeline
from incidents.models import Incident, Outage

MAY = (
    "incidents.change_incident",
    "incidents.add_outage",
    "incidents.change_outage",
    "incidents.delete_outage",
    "incidents.add_cohort",
    "incidents.delete_cohort",
    "incidents.view_exposure",
    "compensation.view_batch",
    "support.view_ticket",
)
SEVERITY_TONES = {"critical": "bad", "major": "bad", "minor": "warn", "none": "plain"}
STATE_TONES = {
    "investigating": "bad",
    "identified": "bad",
    "monitoring": "warn",
    "resolved": "good",
    "scheduled": "plain",
    "in_progress": "warn",
    "verifying": "warn",
    "completed": "good",
}


def page(request: HttpRequest, incident: Incident) -> dict[str, Any]:
    """The template's context; a constant number of queries."""
    outages = list(incident.outages.select_related("component"))
    open_outages = sum(outage.ends_at is None for outage in outages)
    affected = affected_by(incident)
    may = {name.split(".")[1]: request.user.has_perm(name) for name in MAY}
    return {
        "incident": incident,
        "now": timezone.now(),
        "zone": timezone.get_current_timezone_name(),
        "may": may,
        "lead": lead(incident, outages, affected["subscriptions"]),
        "choices": choices(request, incident, open_outages, affected["subscriptions"]),
        "outages": [(outage, _seconds(outage)) for outage in outages],
        "affected": affected,
        "timeline": timeline(incident),
        "severity_tone": SEVERITY_TONES[incident.severity],
        "state_tone": STATE_TONES[incident.state],
        "liability_url": _elsewhere("compensation_incident_liability", incident, may),
        "batches_url": _elsewhere("compensation_incident_batches", incident, may),
        "tickets_url": _elsewhere("support_incident_tickets", incident, may, "view_ticket"),
    }


def affected_by(incident: Incident) -> dict[str, Any]:
    """How many were affected as of the last resolution; read from the cohorts, not counted."""
    cohorts = list(incident.cohorts.all())
    return {
        "cohorts": cohorts,
        "subscriptions": sum(cohort.exposure_count for cohort in cohorts),
        "customers": incident.affected_customers,
        "resolved_at": incident.cohorts_resolved_at,
        "seconds_ago": _age(incident),
        "took_seconds": incident.cohorts_resolving_ms / 1000,
    }


def _age(incident: Incident) -> int | None:
    if incident.cohorts_resolved_at is None:
        return None
    return max(int((timezone.now() - incident.cohorts_resolved_at).total_seconds()), 0)


def _seconds(outage: Outage) -> int:
    return int(((outage.ends_at or timezone.now()) - outage.starts_at).total_seconds())


def _elsewhere(
    name: str, incident: Incident, may: dict[str, bool], needs: str = "view_batch"
) -> str:
    """The address of a part that another floor fills, or nothing for who may not see that."""
    if not may[needs]:
        return ""
    try:
        return reverse(f"admin:{name}", args=[incident.pk])
    except NoReverseMatch:
        return ""
