"""Whether a version is still what it was."""

import hashlib
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.forms import model_to_dict

from compensation.models import PolicyVersion

# What no amount depends on.
_BESIDE = ("id", "state", "change_note", "accepted_warnings", "acceptance_reason", "claim_days",
           "claim_window", "created_by", "label", "version")  # fmt: skip


def terms_digest(version: PolicyVersion) -> str:
    """SHA-256 (hex) of the terms and rows by which `version` prices."""
    told = [_told(version), *(_told(rule) for rule in version.rules.all())]
    text = json.dumps(told, cls=DjangoJSONEncoder, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _told(row: Any) -> dict[str, Any]:
    names = [f.name for f in row._meta.concrete_fields if f.name not in _BESIDE]
    values = model_to_dict(row)
    return {name: values.get(name) for name in names if name in values}
