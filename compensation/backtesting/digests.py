"""Whether a version is still what it was."""

import hashlib
import json

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from compensation.models import PolicyVersion, Rule

# What no amount depends on.
_BESIDE = (
    "id", "policy", "number", "version", "state", "label", "change_note", "accepted_warnings",
    "acceptance_reason", "claim_days", "claim_window", "created_by", "created_at", "activated_at",
    "retired_at",
)  # fmt: skip


def terms_digest(version: PolicyVersion) -> str:
    """SHA-256 (hex) of the terms and rows by which `version` prices, as they are saved."""
    terms = PolicyVersion.objects.filter(pk=version.pk).values(*_names(PolicyVersion))
    rows = Rule.objects.filter(version=version.pk).order_by("position").values(*_names(Rule))
    text = json.dumps([*terms, *rows], cls=DjangoJSONEncoder, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _names(model: type[Model]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if field.name not in _BESIDE]
