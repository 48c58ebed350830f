"""Policies to start from: published SLA texts and a plain one, each a file in this folder.

They are policy files as docs/policies.md tells them, with source, claim window, what is ambiguous
in the text, and worked examples that must come out exactly.
"""

from pathlib import Path

from django.core.exceptions import ValidationError

from compensation.policy_files import PolicyFile, read_policy

FOLDER = Path(__file__).parent


def keys() -> list[str]:
    """The ready-made policies there are."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(key: str) -> PolicyFile:
    """The policy `key`; nothing of it is saved.

    Raises:
        ValidationError: there is none of this key.
    """
    if key not in keys():
        raise ValidationError(
            {"key": f"There is no ready-made policy “{key}”: choose from {', '.join(keys())}."}
        )
    return read_policy((FOLDER / f"{key}.json").read_bytes())
