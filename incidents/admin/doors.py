"""The doors of an incident's page: each parses, asks for permission, calls a verb, goes back."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from backoffice.accounts.models import User
from backoffice.states import MoveError
from incidents import lifecycle
from incidents.cohorts import resolve
from incidents.forms import (
    DeclarationForm,
    IncidentForm,
    MaintenanceForm,
    MomentField,
    MoveForm,
    OutageForm,
    regions,
)
from incidents.models import Incident, Outage

# Longer resolutions are not made while somebody waits for a page; beat or the button makes them.
QUICK_MS = 3000
Verb = Callable[..., None]
MOVES: dict[str, tuple[Verb, tuple[str, ...]]] = {
    "acknowledge": (lifecycle.acknowledge_incident, ("at", "reason")),
    "identify": (lifecycle.identify_incident, ("at", "reason")),
    "mitigate": (lifecycle.mitigate_incident, ("at", "reason", "ends_outages")),
    "resolve": (lifecycle.resolve_incident, ("at", "reason")),
    "reopen": (lifecycle.reopen_incident, ("reason",)),
    "start": (lifecycle.start_maintenance, ("at", "reason")),
    "verify": (lifecycle.verify_maintenance, ("reason",)),
    "complete": (lifecycle.complete_maintenance, ("at", "reason")),
}


def need(request: HttpRequest, permission: str) -> User:
    """The signed-in person, who must have `permission`: else PermissionDenied is raised."""
    if not isinstance(request.user, User) or not request.user.has_perm(permission):
        raise PermissionDenied
    return request.user


def show_form(
    request: HttpRequest, form: Any, title: str, incident: Incident | None = None, **more: Any
) -> HttpResponse:
    """A form on a page of its own, with its errors at its fields."""
    context = {
        **admin.site.each_context(request),
        "opts": Incident._meta,
        "title": title,
        "incident": incident,
        "original": incident,
        "form": form,
        "zone": timezone.get_current_timezone_name() if _asks_when(form) else "",
        "regions": regions() if "region" in form.fields else [],
        **more,
    }
    return TemplateResponse(request, "admin/incidents/incident/form.html", context)


def _asks_when(form: BaseForm) -> bool:
    return any(isinstance(field, MomentField) for field in form.fields.values())


def blame(form: BaseForm, error: ValidationError) -> None:
    """Put a verb's error at the form's fields; what has no field there goes on top."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, errors in error.message_dict.items():
        for message in errors:
            form.add_error(field if field in form.fields else None, message)


def tell(request: HttpRequest, error: ValidationError | MoveError) -> None:
    """An error of a verb whose form was a dialog."""
    said = error.messages if isinstance(error, ValidationError) else [str(error)]
    for message in said:
        messages.error(request, message)


def declare(request: HttpRequest) -> HttpResponse:
    by = need(request, "incidents.add_incident")
    form = DeclarationForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        try:
            incident = lifecycle.declare_incident(
                **{**data, "components": list(data["components"])}, by=by
            )
        except ValidationError as error:
            blame(form, error)
        else:
            return redirect("admin:incidents_incident_change", incident.pk)
    return show_form(request, form, _("Declare an incident"), submit=_("Declare it"))


def schedule(request: HttpRequest) -> HttpResponse:
    by = need(request, "incidents.add_incident")
    form = MaintenanceForm(request.POST or None)
    if form.is_valid():
        try:
            incident = lifecycle.schedule_maintenance(**form.cleaned_data, by=by)
        except ValidationError as error:
            blame(form, error)
        else:
            return redirect("admin:incidents_incident_change", incident.pk)
    return show_form(request, form, _("Announce a maintenance"), submit=_("Announce it"))


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    by = need(request, "incidents.change_incident")
    incident = get_object_or_404(Incident, pk=pk)
    form = IncidentForm(request.POST or None, instance=incident)
    if form.is_valid():
        data = dict(form.cleaned_data)
        reason, commander = data.pop("reason"), data.pop("commander")
        changes = {name: value for name, value in data.items() if name in form.changed_data}
        try:
            with transaction.atomic():
                if "commander" in form.changed_data:
                    lifecycle.assign_commander(
                        incident=incident, commander=commander, by=by, reason=reason
                    )
                if changes:
                    lifecycle.change_incident(incident=incident, by=by, reason=reason, **changes)
        except ValidationError as error:
            blame(form, error)
        else:
            return redirect("admin:incidents_incident_change", pk)
    return show_form(request, form, _("Correct the incident"), incident, submit=_("Save"))


@require_POST
def move(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    by = need(request, "incidents.change_incident")
    if verb not in MOVES:
        raise Http404(verb)
    call, fields = MOVES[verb]
    incident = get_object_or_404(Incident, pk=pk)
    form = MoveForm(request.POST)
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in fields}
        try:
            with transaction.atomic():
                call(incident=incident, by=by, **given)
        except (ValidationError, MoveError) as error:
            tell(request, error)
    else:
        messages.error(request, _("Give the time as year, month, day, hour and minute."))
    return redirect("admin:incidents_incident_change", pk)


@require_POST
def recount(request: HttpRequest, pk: int) -> HttpResponse:
    need(request, "incidents.change_incident")
    incident = get_object_or_404(Incident, pk=pk)
    count(request, incident, always=True)
    return redirect("admin:incidents_incident_change", pk)


def count(request: HttpRequest, incident: Incident, *, always: bool = False) -> None:
    """Resolve the cohorts after a change, unless that takes long."""
    if incident.cohorts_resolving_ms > QUICK_MS and not always:
        messages.warning(
            request,
            _("The affected are as before the change: counting them takes %d s. Count again.")
            % (incident.cohorts_resolving_ms / 1000),
        )
        return
    try:
        resolve(incident)
    except ValidationError as error:
        tell(request, error)


def add_outage(request: HttpRequest, pk: int) -> HttpResponse:
    by = need(request, "incidents.add_outage")
    incident = get_object_or_404(Incident, pk=pk)
    form = OutageForm(request.POST or None, initial={"starts_at": incident.started_at})
    del form.fields["reason"]
    if form.is_valid():
        try:
            lifecycle.add_outage(incident=incident, by=by, **form.cleaned_data)
        except ValidationError as error:
            blame(form, error)
        else:
            count(request, incident)
            return redirect("admin:incidents_incident_change", pk)
    return show_form(request, form, _("Add an outage"), incident, submit=_("Add it, count again"))


def change_outage(request: HttpRequest, pk: int, outage_pk: int) -> HttpResponse:
    by = need(request, "incidents.change_outage")
    outage = _outage(pk, outage_pk)
    names = ("component", "impact", "affected_percent", "region", "starts_at", "ends_at")
    form = OutageForm(request.POST or None, initial={n: getattr(outage, n) for n in names})
    if form.is_valid():
        data = dict(form.cleaned_data)
        reason = data.pop("reason")
        changes = {name: value for name, value in data.items() if name in form.changed_data}
        try:
            lifecycle.change_outage(outage=outage, by=by, reason=reason, **changes)
        except ValidationError as error:
            blame(form, error)
        else:
            count(request, outage.incident)
            return redirect("admin:incidents_incident_change", pk)
    submit = _("Save, count again")
    return show_form(request, form, _("Correct the outage"), outage.incident, submit=submit)


@require_POST
def end_outage(request: HttpRequest, pk: int, outage_pk: int) -> HttpResponse:
    by = need(request, "incidents.change_outage")
    outage = _outage(pk, outage_pk)
    return _from_dialog(request, outage, lifecycle.end_outage, ("at", "reason"), by)


@require_POST
def remove_outage(request: HttpRequest, pk: int, outage_pk: int) -> HttpResponse:
    by = need(request, "incidents.delete_outage")
    outage = _outage(pk, outage_pk)
    return _from_dialog(request, outage, lifecycle.remove_outage, ("reason",), by)


def _from_dialog(
    request: HttpRequest, outage: Outage, verb: Verb, fields: tuple[str, ...], by: User
) -> HttpResponse:
    form = MoveForm(request.POST)
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in fields}
        try:
            verb(outage=outage, by=by, **given)
        except (ValidationError, MoveError) as error:
            tell(request, error)
        else:
            count(request, outage.incident)
    else:
        messages.error(request, _("Give the time as year, month, day, hour and minute."))
    return redirect("admin:incidents_incident_change", outage.incident_id)


def _outage(pk: int, outage_pk: int) -> Outage:
    return get_object_or_404(Outage.objects.select_related("incident"), pk=outage_pk, incident=pk)
