"""What a policy's and a version's page shows, and how a draft is saved."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.states import history
from compensation import policies, wording
from compensation.forms import BaseRules, RuleFormSet, VersionForm, known_values
from compensation.models import PolicyVersion

VERSION_BADGES = {"draft": "warn", "active": "good", "retired": "plain"}


def policy_page(request: HttpRequest, object_id: str) -> dict[str, Any]:
    """The policy's versions, newest first."""
    if not object_id.isdecimal():
        return {}
    versions = (
        PolicyVersion.objects.filter(policy=int(object_id))
        .select_related("created_by", "policy")
        .annotate(row_count=Count("rules", distinct=True))
        .order_by("-number")
    )
    return {
        "versions": [(version, VERSION_BADGES[version.state]) for version in versions],
        "may_draft": request.user.has_perm("compensation.add_policyversion"),
        "may_default": request.user.has_perm("compensation.change_policy"),
    }


def version_page(request: HttpRequest, object_id: str, site: dict[str, Any]) -> HttpResponse:
    """The editor of a draft; for anything in force and for who may not edit, the same to read."""
    if not request.user.has_perm("compensation.view_policyversion"):
        raise PermissionDenied
    version = (
        PolicyVersion.objects.select_related("policy", "created_by")
        .filter(pk=int(object_id) if object_id.isdecimal() else 0)
        .first()
    )
    if version is None:
        raise Http404("There is no such version.")
    may_edit = _may_edit(request, version)
    if request.method == "POST" and not may_edit:
        raise PermissionDenied
    form = rules = None
    if may_edit:
        data = request.POST if request.method == "POST" else None
        form = VersionForm(data, instance=version)
        rules = RuleFormSet(data, instance=version, prefix="rules")
        if request.method == "POST" and _save(request, form, rules):
            asks = "?activate" if request.POST.get("then") == "activate" else ""
            return redirect(f"{request.path}{asks}")
    context = {**site, **_context(request, version), "form": form, "rules": rules}
    return TemplateResponse(request, "admin/compensation/policyversion/page.html", context)


def _may_edit(request: HttpRequest, version: PolicyVersion) -> bool:
    needed = ("change_policyversion", "add_rule", "change_rule", "delete_rule")
    is_draft = version.state == PolicyVersion.State.DRAFT
    return is_draft and request.user.has_perms([f"compensation.{name}" for name in needed])


def _save(request: HttpRequest, form: VersionForm, rules: BaseRules) -> bool:
    """All or nothing. Whether it was saved; if not, every error stands at its field."""
    if not (form.is_valid() & rules.is_valid()):
        return False
    user: Any = request.user
    with transaction.atomic(), history(by=user):
        form.save()
        saved = rules.save()
    said = ngettext("Saved, with {n} row.", "Saved, with {n} rows.", len(saved))
    messages.success(request, said.format(n=len(saved)))
    return True


def _context(request: HttpRequest, version: PolicyVersion) -> dict[str, Any]:
    # As it was saved: a form with errors has changed the object in memory.
    saved = PolicyVersion.objects.select_related("policy").get(pk=version.pk)
    is_draft = saved.state == PolicyVersion.State.DRAFT
    findings = policies.check_version(saved) if is_draft else []
    former = saved.policy.versions.filter(state=PolicyVersion.State.ACTIVE).first()
    may = {
        name: request.user.has_perm(f"compensation.{name}")
        for name in ("activate_policyversion", "add_policyversion")
    }
    return {
        "opts": PolicyVersion._meta,
        "version": saved,
        "original": saved,
        "title": str(saved),
        "badge": VERSION_BADGES[saved.state],
        "table": [
            (rule, wording.who_and_when(rule), wording.gives(rule, saved))
            for rule in saved.rules.all()
        ],
        "terms": terms(saved),
        "findings": findings,
        "errors": sum(finding.is_error for finding in findings),
        "warnings": sum(not finding.is_error for finding in findings),
        "former": former,
        "known": known_values() if is_draft else {},
        "asks_activation": "activate" in request.GET and is_draft,
        "may": may,
    }


def terms(version: PolicyVersion) -> list[tuple[str, str]]:
    """The terms around the table, to read."""
    least = wording.amounts(version.minimum_amounts)
    if least and version.is_minimum_exclusive:
        least = _("more than {amounts}").format(amounts=least)
    cap = version.cap_percent
    return [
        (_("Period"), str(version.get_fee_period_display())),
        (_("Which rows count"), str(version.get_hit_policy_display())),
        (_("Weight of partial outages"), wording.number(version.partial_weight)),
        (_("Maintenance"), _("counts") if version.counts_maintenance else _("does not count")),
        (_("At most"), "–" if cap is None else _("{n} % of the fee").format(n=wording.number(cap))),
        (_("At most, per customer"), wording.amounts(version.cap_amounts) or "–"),
        (_("Least paid out"), least or "–"),
        (_("Rounding"), str(version.get_rounding_display())),
    ]
