"""The buttons of policies: copy as a draft, put into force, use as the default."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from compensation import examples, policies, wording
from compensation.admin.doors import call, post_only
from compensation.admin.example_results import Shown
from compensation.admin.version_editor import Editor
from compensation.forms import column
from compensation.models import Policy, PolicyVersion, Rule


def draft_version(request: HttpRequest, pk: int) -> HttpResponse:
    """Copy the newest version and go there to change it."""
    if refusal := post_only(request, "compensation.add_policyversion"):
        return refusal
    policy = get_object_or_404(Policy, pk=pk)
    user: Any = request.user
    made: list[PolicyVersion] = []
    said = _("A new draft: change it, then activate it.")
    if call(request, lambda: made.append(policies.draft_version(policy, by=user)), said):
        return redirect("admin:compensation_policyversion_change", made[0].pk)
    return redirect("admin:compensation_policy_change", pk)


def activate_version(request: HttpRequest, pk: int) -> HttpResponse:
    if refusal := post_only(request, "compensation.activate_policyversion"):
        return refusal
    version = get_object_or_404(PolicyVersion.objects.select_related("policy"), pk=pk)
    user: Any = request.user
    said = _("{version} is in force now.").format(version=version)
    accepted = request.POST.get("accepted", "")

    def activate() -> None:
        policies.activate_version(version, by=user, accepted=accepted)

    call(request, activate, said)
    return redirect("admin:compensation_policyversion_change", pk)


def make_default(request: HttpRequest, pk: int) -> HttpResponse:
    if refusal := post_only(request, "compensation.change_policy"):
        return refusal
    policy = get_object_or_404(Policy, pk=pk)
    user: Any = request.user
    said = _("{policy} is the default now.").format(policy=policy)
    call(request, lambda: policies.make_default(policy, by=user), said)
    return redirect("admin:compensation_policy_change", pk)


def preview_version(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows as they stand in the form, in words; nothing is saved."""
    if refusal := post_only(request, "compensation.change_policyversion"):
        return refusal
    version = get_object_or_404(PolicyVersion.objects.select_related("policy"), pk=pk)
    if version.state != PolicyVersion.State.DRAFT:
        raise PermissionDenied
    editor = Editor.of(version, request.POST)
    context = {"rows": _rows_in_words(editor, version), "results": _results(editor, version)}
    return TemplateResponse(request, "admin/compensation/policyversion/words.html", context)


def _rows_in_words(editor: Editor, version: PolicyVersion) -> list[tuple[Any, ...]]:
    """Of each row: its prefix, what it gives, what is wrong with it, and where in its condition."""
    editor.form.is_valid()
    rows = []
    row: Any
    for row in editor.rules.forms:
        rule: Rule | None = row.instance if row.is_valid() else None
        said = wording.gives(rule, version) if rule and row.has_changed() else ""
        if rule and not said and rule.pk:
            said = wording.gives(rule, version)
        errors = {column(name): told for name, told in row.errors.items()}
        rows.append((row.prefix, said, errors, row.trouble))
    return rows


def _results(editor: Editor, version: PolicyVersion) -> list[tuple[str, Shown]]:
    """What comes out of the examples as typed; nothing while something cannot be read."""
    if not editor.is_valid():
        return []
    rules, typed, forms = editor.as_typed()
    try:
        results = examples.run(version, rules, typed)
    except ValidationError:
        return []
    shown = [Shown.of(result) for result in results]
    return [(form.prefix, one) for form, one in zip(forms, shown, strict=True)]
