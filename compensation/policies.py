"""Policies: written as drafts, checked, put into force; afterwards they never change."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.states import MoveError, history, move
from compensation import ready_made
from compensation.authority import person_with
from compensation.findings import Finding, check_version
from compensation.models import Policy, PolicyVersion

__all__ = [
    "Finding",
    "activate_version",
    "check_version",
    "draft_version",
    "install_ready_made",
    "make_default",
]

# What a draft does not take over from the version it copies.
OWN = ("id", "number", "state", "created_by", "created_at", "activated_at", "retired_at",
       "change_note")  # fmt: skip


@transaction.atomic
def draft_version(policy: Policy, *, by: User | None) -> PolicyVersion:
    """A new draft with the terms and rows of the policy's newest version, or an empty one.

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
            copies = list(newest.rules.all())
            for rule in copies:
                rule.pk, rule.version, rule._state.adding = None, draft, True
            draft.rules.bulk_create(copies)
    return draft


def _terms(version: PolicyVersion) -> dict[str, object]:
    return {
        field.name: getattr(version, field.name)
        for field in version._meta.concrete_fields
        if field.name not in OWN
    }


@transaction.atomic
def activate_version(version: PolicyVersion, *, by: User | None) -> PolicyVersion:
    """Put a draft into force; the version that was in force is retired with it.

    From then on its terms cannot change, which the database sees to itself. Batches that exist
    keep the version they were priced under. Without `by`, the system does it (installation).

    Raises:
        PermissionDenied: `by` may not.
        MoveError: it is no draft.
        ValidationError: `check_version` finds errors; all of them are told.
    """
    if by is not None:
        by = person_with(by, "compensation.activate_policyversion")
    # Two activations of one policy come one after the other.
    Policy.objects.select_for_update().get(pk=version.policy_id)
    version.refresh_from_db()
    if version.state != PolicyVersion.State.DRAFT:
        raise MoveError(f"This policy version is {version.state}: only a draft can be activated.")
    errors = [str(finding) for finding in check_version(version) if finding.is_error]
    if errors:
        raise ValidationError(errors)
    now = timezone.now()
    for former in version.policy.versions.filter(state=PolicyVersion.State.ACTIVE):
        move(former, PolicyVersion.State.RETIRED, by=by, retired_at=now)
    move(version, PolicyVersion.State.ACTIVE, by=by, activated_at=now)
    return version


@transaction.atomic
def install_ready_made(key: str, *, by: User | None = None) -> PolicyVersion:
    """The ready-made policy `key` as a draft; if it is installed, its version in force or newest.

    Raises:
        PermissionDenied: `by` may not write policies.
        ValidationError: there is no such policy.
    """
    person = person_with(by, "compensation.add_policy") if by is not None else None
    terms = ready_made.read(key)
    installed = Policy.objects.filter(key=terms["key"]).first()
    if installed is not None:
        versions = installed.versions.order_by("-number")
        return versions.filter(state=PolicyVersion.State.ACTIVE).first() or versions[0]
    with history(by=person):
        policy, version = ready_made.policy(terms), ready_made.version(terms)
        policy.save()
        version.policy, version.number, version.created_by = policy, 1, person
        version.save()
        rules = list(ready_made.rules(terms))
        for rule in rules:
            rule.version = version
        version.rules.bulk_create(rules)
    return version


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
