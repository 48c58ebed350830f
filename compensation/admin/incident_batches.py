"""On an incident's page: its batches, and drafting a new one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from compensation import batches
from compensation.admin.doors import call, post_only
from compensation.admin.looks import BATCH_LABELS, amounts
from compensation.models import Batch, PolicyVersion
from incidents.models import Incident


def incident_batches(request: HttpRequest, pk: int) -> HttpResponse:
    """An html fragment: the incident's batches, and a form to draft one under an active policy."""
    if not request.user.has_perm("compensation.view_batch"):
        raise PermissionDenied
    incident = get_object_or_404(Incident, pk=pk)
    rows = [
        (batch, BATCH_LABELS[batch.state], amounts(batch.summary.get("amounts_minor", {})))
        for batch in Batch.objects.filter(incident=incident).select_related("version__policy")
    ]
    context = {
        "incident": incident,
        "rows": rows,
        "versions": _active_versions(),
        "may_draft": request.user.has_perm("compensation.add_batch"),
    }
    return TemplateResponse(request, "admin/compensation/incident/batches.html", context)


def draft_batch(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft a batch for the incident and price it at once, then show it."""
    if refusal := post_only(request, "compensation.add_batch"):
        return refusal
    incident = get_object_or_404(Incident, pk=pk)
    wanted = request.POST.get("version", "")
    version = _active_versions().filter(pk=wanted if wanted.isdecimal() else None).first()
    if version is None:
        messages.error(request, _("Choose a policy that is in force."))
        return redirect("admin:incidents_incident_change", pk)
    made: list[Batch] = []
    user: Any = request.user

    def draft() -> None:
        made.append(batches.create_batch(incident, version, by=user))

    if not call(request, draft, _("Drafted under {version}.").format(version=version)):
        return redirect("admin:incidents_incident_change", pk)
    batch = made[0]
    if user.has_perm("compensation.price_batch"):
        call(request, lambda: batches.price_batch(batch, by=user), _("Priced."))
    return redirect("admin:compensation_batch_change", batch.pk)


def _active_versions() -> Any:
    """The default policy first."""
    return (
        PolicyVersion.objects.filter(state=PolicyVersion.State.ACTIVE)
        .select_related("policy")
        .order_by("-policy__is_default", "policy__name")
    )
