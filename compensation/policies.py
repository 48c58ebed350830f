"""Policies: written as drafts, checked, put into force; afterwards they never change."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.states import MoveError, history, move
from compensation import ready_made
from compensation.authority import person_with
from compensation.comparison import Change, Difference, compare_versions
from compensation.findings import Finding, check_version
from compensation.models import Policy, PolicyExample, PolicyVersion, Rule
from compensation.policy_files import PolicyFile

__all__ = [
    "Change",
    "Difference",
    "Finding",
    "activate_version",
    "check_version",
    "compare_versions",
    "draft_version",
    "import_policy",
    "install_ready_made",
    "make_default",
]

# What a draft does not take over from the version it copies.
OWN = ("id", "number", "state", "created_by", "created_at", "activated_at", "retired_at",
       "change_note", "accepted_warnings", "acceptance_reason")  # fmt: skip
# Why warnings are accepted where the system itself puts a version into force.
INSTALLED = "installed"


@transaction.atomic
def draft_version(policy: Policy, *, by: User | None) -> PolicyVersion:
    """A new draft with all that the policy's newest version has, or an empty one.

    Raises:
        PermissionDenied: `by` may not write versions.
    """
    person = person_with(by, "compensation.add_policyversion")
    Policy.objects.select_for_update().get(pk=policy.pk)
    newest = policy.versions.order_by("-number").first()
    terms = {} if newest is None else _terms(newest)
    number = 1 if newest is None else newest.number + 1
    with history(by=person):
        draft = PolicyVersion.objects.create(
            **(terms | {"policy": policy, "number": number, "created_by": person})
        )
        if newest is not None:
            _add(draft, list(newest.rules.all()), list(newest.examples.all()))
    return draft


def _terms(version: PolicyVersion) -> dict[str, object]:
    return {
        field.name: getattr(version, field.name)
        for field in version._meta.concrete_fields
        if field.name not in OWN
    }


@transaction.atomic
def activate_version(
    version: PolicyVersion, *, by: User | None, accepted: str = ""
) -> PolicyVersion:
    """Put a draft into force; the version that was in force is retired with it.

    From then on its terms cannot change, which the database sees to itself. Batches that exist
    keep the version they were priced under. `accepted` is the reason for which a person accepts
    what lint warns of; it is kept with the version, as are the warnings. Without `by`, the system
    does it (installation), and accepts them for that reason.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: it is no draft.
        ValidationError: `check_version` finds errors, or warnings without a reason to accept
            them; all of them are told.
    """
    if by is not None:
        by = person_with(by, "compensation.activate_policyversion")
    # Two activations of one policy come one after the other.
    Policy.objects.select_for_update().get(pk=version.policy_id)
    version.refresh_from_db()
    if version.state != PolicyVersion.State.DRAFT:
        raise MoveError(f"This policy version is {version.state}: only a draft can be activated.")
    warnings = _accepted(version, accepted.strip() or ("" if by else INSTALLED))
    now = timezone.now()
    for former in version.policy.versions.filter(state=PolicyVersion.State.ACTIVE):
        move(former, PolicyVersion.State.RETIRED, by=by, retired_at=now)
    move(version, PolicyVersion.State.ACTIVE, by=by, activated_at=now, **warnings)
    return version


def _accepted(version: PolicyVersion, reason: str) -> dict[str, Any]:
    """The warnings and the reason to keep; without warnings there is nothing to accept."""
    findings = check_version(version)
    errors = [str(finding) for finding in findings if finding.is_error]
    if errors:
        raise ValidationError(errors)
    if not findings:
        return {"accepted_warnings": [], "acceptance_reason": ""}
    if not reason:
        told = [str(finding) for finding in findings]
        raise ValidationError([*told, "Say why this is accepted, or change it."])
    warnings = [
        {"code": f.code, "position": f.position, "field": f.field, "message": f.message}
        for f in findings
    ]
    return {"accepted_warnings": warnings, "acceptance_reason": reason}


@transaction.atomic
def install_ready_made(key: str, *, by: User | None = None) -> PolicyVersion:
    """The ready-made policy `key` as a draft; if it is installed, its version in force or newest.

    Raises:
        PermissionDenied: `by` may not write policies.
        ValidationError: there is no such policy.
    """
    read = ready_made.read(key)
    installed = Policy.objects.filter(key=read.policy.key).first()
    if installed is None:
        return import_policy(read, by=by)
    if by is not None:
        person_with(by, "compensation.add_policy")
    versions = installed.versions.order_by("-number")
    return versions.filter(state=PolicyVersion.State.ACTIVE).first() or versions[0]


@transaction.atomic
def import_policy(read: PolicyFile, *, by: User | None = None) -> PolicyVersion:
    """A draft with the terms, rows and examples of a file; nothing of it is in force.

    A policy of this key that exists keeps its name and words and gets another draft.

    Raises:
        PermissionDenied: `by` may not write policies.
    """
    person = person_with(by, "compensation.add_policy") if by is not None else None
    with history(by=person):
        policy = Policy.objects.select_for_update().filter(key=read.policy.key).first()
        if policy is None:
            policy = read.policy
            policy.save()
        version = read.version
        newest = policy.versions.aggregate(newest=Max("number"))["newest"] or 0
        version.policy, version.number, version.created_by = policy, newest + 1, person
        version.save()
        _add(version, read.rules, read.examples)
    return version


def _add(version: PolicyVersion, rules: list[Rule], examples: list[PolicyExample]) -> None:
    """As new rows of `version`."""
    rows: list[Rule | PolicyExample] = [*rules, *examples]
    for row in rows:
        row.pk, row.version, row._state.adding = None, version, True
    Rule.objects.bulk_create(rules)
    PolicyExample.objects.bulk_create(examples)


@transaction.atomic
def make_default(policy: Policy, *, by: User | None = None) -> Policy:
    """Use `policy` for live liability and for the batches that draft themselves.

    Raises:
        PermissionDenied: `by` may not change policies.
    """
    if by is not None:
        by = person_with(by, "compensation.change_policy")
    with history(by=by):
        Policy.objects.filter(is_default=True).exclude(pk=policy.pk).update(is_default=False)
        Policy.objects.filter(pk=policy.pk).update(is_default=True)
    policy.is_default = True
    return policy
