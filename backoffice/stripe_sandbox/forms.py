"""Form-encoded bodies and query strings, nested as Stripe nests them: ``a[b][c]=``, ``a[]=``."""

from typing import Any
from urllib.parse import parse_qsl

from backoffice.stripe_sandbox.errors import invalid

Pairs = list[tuple[str, str]]
MOST_FIELDS = 1000


def pairs(raw: bytes) -> Pairs:
    """The fields in the order sent; an empty value stays, since it means "unset" to Stripe."""
    if not raw:
        return []
    try:
        return parse_qsl(
            raw.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise invalid("Invalid request body: it is not valid form data.") from error


def nested(fields: Pairs) -> dict[str, Any]:
    """Dicts of dicts; a list arrives as a dict whose keys are its indexes."""
    form: dict[str, Any] = {}
    for name, value in fields:
        if "[" in name:
            _put(form, name, value)
        else:
            form[name] = value
    return form


def _put(form: dict[str, Any], name: str, value: str) -> None:
    parts = name.replace("]", "").split("[")
    here = form
    for part in parts[:-1]:
        deeper = here.setdefault(part, {})
        if not isinstance(deeper, dict):
            raise invalid(f"Invalid request: {parts[0]} is both a value and an object.", parts[0])
        here = deeper
    here[parts[-1] or str(len(here))] = value
