"""What a version's page shows, and how a draft is saved."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import ngettext

from backoffice.states import history
from compensation import policies, wording
from compensation.admin.example_results import show_examples, tally
from compensation.admin.policy_page import VERSION_BADGES
from compensation.admin.version_editor import Editor
from compensation.admin.version_findings import acceptance, gathered, mark
from compensation.comparison import compare_versions
from compensation.forms import known_values
from compensation.models import PolicyVersion
from compensation.wording.terms import terms


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
    editor = None
    if may_edit:
        editor = Editor.of(version, request.POST if request.method == "POST" else None)
        if request.method == "POST" and _save(request, editor):
            asks = "?activate" if request.POST.get("then") == "activate" else ""
            return redirect(f"{request.path}{asks}")
    context = {**site, **_context(request, version, editor)}
    return TemplateResponse(request, "admin/compensation/policyversion/page.html", context)


def _may_edit(request: HttpRequest, version: PolicyVersion) -> bool:
    needed = ("change_policyversion", "add_rule", "change_rule", "delete_rule")
    is_draft = version.state == PolicyVersion.State.DRAFT
    return is_draft and request.user.has_perms([f"compensation.{name}" for name in needed])


def _save(request: HttpRequest, editor: Editor) -> bool:
    """All or nothing. Whether it was saved; if not, every error stands at its field."""
    if not editor.is_valid():
        return False
    user: Any = request.user
    with transaction.atomic(), history(by=user):
        rows, examples = editor.save()
    said = ngettext("Saved, with {n} row", "Saved, with {n} rows", rows).format(n=rows)
    if examples:
        said += ngettext(" and {n} example", " and {n} examples", examples).format(n=examples)
    messages.success(request, f"{said}.")
    return True


def _context(request: HttpRequest, version: PolicyVersion, editor: Editor | None) -> dict[str, Any]:
    # As it was saved: a form with errors has changed the object in memory.
    saved = PolicyVersion.objects.select_related("policy").get(pk=version.pk)
    is_draft = saved.state == PolicyVersion.State.DRAFT
    findings = policies.check_version(saved) if is_draft else []
    former = saved.policy.versions.filter(state=PolicyVersion.State.ACTIVE).first()
    told = editor.told_errors() if editor and request.method == "POST" else []
    shown = show_examples(saved)
    if editor and not told:
        mark(editor, findings, shown)
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
        "form": editor and editor.form,
        "rules": editor and editor.rules,
        "examples": editor and editor.examples,
        "told": told,
        "table": [
            (rule, wording.who_and_when(rule), wording.gives(rule, saved))
            for rule in saved.rules.all()
        ],
        "terms": terms(saved),
        "results": shown,
        "tally": tally(shown),
        "accepted": acceptance(saved),
        "differences": compare_versions(saved, former) if is_draft and former else [],
        "findings": findings,
        "listed": gathered(findings),
        "errors": sum(finding.is_error for finding in findings),
        "warnings": sum(not finding.is_error for finding in findings),
        "former": former,
        "known": known_values() if is_draft else {},
        "asks_activation": "activate" in request.GET and is_draft,
        "may": may,
    }
