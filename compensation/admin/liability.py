"""On an incident's page and the dashboard: what we would owe if it ended now."""

from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from backoffice.customers.conditions import ConditionError
from compensation.models import PolicyVersion
from compensation.pricing import Liability, liability
from incidents.models import Incident

# Several people look at the same incident: it is worked out once for all of them.
KEPT_SECONDS = 20
CHOICE = "liability-version"


@require_safe
def incident_liability(request: HttpRequest, pk: int) -> HttpResponse:
    """An html fragment: amounts by currency, under the default policy or the one looked at last."""
    may = ("incidents.view_incident", "compensation.view_policyversion")
    if not request.user.has_perms(may):
        raise PermissionDenied
    incident = get_object_or_404(Incident, pk=pk)
    versions = list(
        PolicyVersion.objects.filter(state=PolicyVersion.State.ACTIVE)
        .select_related("policy")
        .order_by("-policy__is_default", "policy__name")
    )
    version = _chosen(request, versions)
    context: dict[str, Any] = {"incident": incident, "versions": versions, "version": version}
    if version is not None:
        context |= _figures(incident, version)
        # What was awarded already is not owed again, so the figures leave it out.
        context["has_batches"] = incident.batches.exists()
    return TemplateResponse(request, "admin/compensation/incident/liability.html", context)


def _chosen(request: HttpRequest, versions: list[PolicyVersion]) -> PolicyVersion | None:
    """Kept in the session, because the page asks again every half a minute without saying."""
    if "version" in request.GET:
        request.session[CHOICE] = request.GET["version"]
    wanted = str(request.session.get(CHOICE, ""))
    by_key = {str(version.pk): version for version in versions}
    return by_key.get(wanted) or next(iter(versions), None)


def _figures(incident: Incident, version: PolicyVersion) -> dict[str, Any]:
    counted = incident.cohorts_resolved_at
    moment = counted.timestamp() if counted else 0
    key = f"liability:{incident.pk}:{version.pk}:{moment}:{incident.state}"
    found: tuple[datetime, list[Liability]] | None = cache.get(key)
    if found is None:
        as_of = timezone.now()
        try:
            found = (as_of, liability(incident, version, as_of=as_of))
        except ConditionError as error:
            return {"problem": " ".join(error.messages)}
        cache.set(key, found, KEPT_SECONDS)
    as_of, amounts = found
    return {
        "amounts": amounts,
        "as_of": as_of,
        "awards": sum(each.awards for each in amounts),
        "customers": sum(each.customers for each in amounts),
        "grows": any(each.growth_per_minute_minor for each in amounts),
        "leaps": any(each.in_an_hour_minor != each.amount_minor for each in amounts),
    }
