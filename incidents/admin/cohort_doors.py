"""The doors to an incident's cohorts."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from backoffice.accounts.models import User
from incidents import cohorts
from incidents.admin.doors import blame, count, need, show_form
from incidents.forms import CohortForm, ListForm
from incidents.models import Cohort, Incident

SHOWN = 20


def add_cohort(request: HttpRequest, pk: int) -> HttpResponse:
    by = need(request, "incidents.add_cohort")
    incident = get_object_or_404(Incident, pk=pk)
    form = CohortForm(request.POST or None)
    if form.is_valid():
        try:
            cohorts.add_cohort(incident=incident, by=by, **form.cleaned_data)
        except ValidationError as error:
            blame(form, error)
        else:
            count(request, incident)
            return redirect("admin:incidents_incident_change", pk)
    return show_form(
        request, form, _("Add a cohort by condition"), incident,
        submit=_("Add it, count again"),
    )  # fmt: skip


@require_POST
def remove_cohort(request: HttpRequest, pk: int, cohort_pk: int) -> HttpResponse:
    by = need(request, "incidents.delete_cohort")
    cohort = get_object_or_404(Cohort.objects.select_related("incident"), pk=cohort_pk, incident=pk)
    reason = request.POST.get("reason", "")
    cohorts.remove_cohort(cohort=cohort, by=by, reason=reason)
    count(request, cohort.incident)
    return redirect("admin:incidents_incident_change", pk)


def upload_list(request: HttpRequest, pk: int) -> HttpResponse:
    """A file is read and shown first; its good lines are taken when a person says so."""
    by = need(request, "incidents.add_cohort")
    incident = get_object_or_404(Incident, pk=pk)
    form = ListForm(incident, request.POST or None, request.FILES or None)
    found = None
    if form.is_valid():
        try:
            found = cohorts.read_list(form.cleaned_data["text"])
        except cohorts.ListFileError as error:
            form.add_error("file", str(error))
    if found is not None and "sure" in request.POST and found.rows:
        return _take(request, incident, form.cleaned_data, found, by)
    context = {
        **admin.site.each_context(request),
        "opts": Incident._meta,
        "title": _("Add a list of customers"),
        "incident": incident,
        "original": incident,
        "form": form,
        "text": form.cleaned_data.get("text", "") if found is not None else "",
        "found": found,
        "members": found.members[:SHOWN] if found else [],
        "bad_lines": found.bad_lines[:SHOWN] if found else [],
    }
    return TemplateResponse(request, "admin/incidents/incident/upload.html", context)


def _take(
    request: HttpRequest,
    incident: Incident,
    data: dict[str, Any],
    found: cohorts.CustomerList,
    by: User,
) -> HttpResponse:
    with transaction.atomic():
        cohort = data["cohort"] or cohorts.add_cohort(
            incident=incident,
            name=data["name"].strip(),
            source=Cohort.Source.LIST,
            by=by,
        )
        number = cohorts.push_members(cohort=cohort, rows=found.rows, by=by)
    said = ngettext("{n} line taken.", "{n} lines taken.", number).format(n=f"{number:,}")
    messages.success(request, said)
    count(request, incident)
    return redirect("admin:incidents_incident_change", incident.pk)
