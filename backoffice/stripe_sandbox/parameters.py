"""What an endpoint takes: names, types and limits, checked strictly before anything is executed.

A name that is not listed is refused with ``parameter_unknown``, so that our own typos show. A check
takes the raw value and the parameter's name, and returns the value that the endpoint works with.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backoffice.stripe_sandbox import currencies
from backoffice.stripe_sandbox.errors import invalid

Check = Callable[[Any, str], Any]
Params = dict[str, Any]

METADATA_KEYS = 50
METADATA_KEY_LENGTH = 40
METADATA_VALUE_LENGTH = 500
LONGEST_INTEGER = 16
UNSET = ""
"""What an empty value stands for: the caller wants the field removed."""


@dataclass(frozen=True)
class Schema:
    """The parameters of one endpoint or of one nested object."""

    fields: dict[str, Check]
    required: tuple[str, ...] = field(default=())

    def checked(self, form: dict[str, Any], prefix: str = "") -> Params:
        params: Params = {}
        for name, value in form.items():
            full = f"{prefix}[{name}]" if prefix else name
            check = self.fields.get(name)
            if check is None:
                raise invalid(f"Received unknown parameter: {full}", full, code="parameter_unknown")
            params[name] = check(value, full)
        for name in self.required:
            if name not in params:
                full = f"{prefix}[{name}]" if prefix else name
                raise invalid(f"Missing required param: {full}.", full, code="parameter_missing")
        return params


def text(limit: int = 5000, *, may_unset: bool = True) -> Check:
    def check(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {name}", name)
        if not value and not may_unset:
            raise invalid(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt "
                f"to unset a parameter; however '{name}' cannot be unset. You should remove "
                f"'{name}' from your request or supply a non-empty value.",
                name,
                code="parameter_invalid_empty",
            )
        if len(value) > limit:
            raise invalid(
                f"Invalid string: {value[:10]}...{value[-10:]}; must be at most {limit} characters",
                name,
            )
        return value

    return check


def integer(lowest: int | None = None, highest: int | None = None) -> Check:
    def check(value: Any, name: str) -> int:
        digits = value[1:] if isinstance(value, str) and value[:1] == "-" else value
        if not (isinstance(digits, str) and digits.isascii() and digits.isdigit()):
            raise invalid(f"Invalid integer: {value}", name, code="parameter_invalid_integer")
        if len(value) > LONGEST_INTEGER:
            raise invalid(f"Invalid integer: {value}", name, code="parameter_invalid_integer")
        number = int(value)
        if lowest is not None and number < lowest:
            raise invalid(
                f"This value must be greater than or equal to {lowest}.",
                name,
                code="parameter_invalid_integer",
            )
        if highest is not None and number > highest:
            raise invalid(
                f"This value must be less than or equal to {highest} (it currently is '{number}').",
                name,
                code="parameter_invalid_integer",
            )
        return number

    return check


def boolean(value: Any, name: str) -> bool:
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", name)
    return bool(value == "true")


def choice(*options: str) -> Check:
    def check(value: Any, name: str) -> str:
        if value not in options:
            raise invalid(f"Invalid {name}: must be one of {', '.join(options)}", name)
        return str(value)

    return check


def now_or_timestamp(value: Any, name: str) -> int | str:
    return "now" if value == "now" else timestamp(value, name)


def currency(value: Any, name: str) -> str:
    return currencies.checked(text(may_unset=False)(value, name), name)


def listed(check: Check) -> Check:
    """A list; on the wire it is ``name[0]=..&name[1]=..``, and an empty string empties it."""

    def check_all(value: Any, name: str) -> list[Any]:
        if value == UNSET:
            return []
        if not isinstance(value, dict) or not all(key.isdigit() for key in value):
            raise invalid(f"Invalid array: {name}", name)
        return [check(item, f"{name}[{index}]") for index, item in value.items()]

    return check_all


def nested(schema: Schema, *, may_unset: bool = False) -> Check:
    def check(value: Any, name: str) -> Params | str:
        if value == UNSET and may_unset:
            return UNSET
        if not isinstance(value, dict):
            raise invalid(f"Invalid object: {name}", name)
        return schema.checked(value, name)

    return check


def metadata(value: Any, name: str) -> dict[str, str] | str:
    """At most 50 keys of 40 characters, values of 500. Source: docs.stripe.com/api/metadata."""
    if value == UNSET:
        return UNSET
    if not isinstance(value, dict):
        raise invalid(f"Invalid object: {name}", name)
    if len(value) > METADATA_KEYS:
        raise invalid(f"Metadata can have at most {METADATA_KEYS} keys.", name)
    for key, content in value.items():
        _check_metadata_pair(key, content, name)
    return value


def _check_metadata_pair(key: str, content: Any, name: str) -> None:
    if not isinstance(content, str):
        raise invalid("Metadata values must be strings.", f"{name}[{key}]")
    if len(key) > METADATA_KEY_LENGTH:
        raise invalid(
            f"Metadata keys can have up to {METADATA_KEY_LENGTH} characters, but you passed in a "
            f"key that is {len(key)} characters. Invalid key: {key}",
            name,
        )
    if len(content) > METADATA_VALUE_LENGTH:
        raise invalid(
            f"Metadata values can have up to {METADATA_VALUE_LENGTH} characters, but you passed in "
            f"a value that is {len(content)} characters. Invalid value: {content}",
            name,
        )


def merged_metadata(old: dict[str, str], given: dict[str, str] | str) -> dict[str, str]:
    """Keys are merged; an empty value removes its key, an empty parameter removes them all."""
    if isinstance(given, str):
        return {}
    result = {key: value for key, value in {**old, **given}.items() if value != UNSET}
    if len(result) > METADATA_KEYS:
        raise invalid(f"Metadata can have at most {METADATA_KEYS} keys.", "metadata")
    return result


timestamp = integer(lowest=0)
_BOUNDS = Schema(dict.fromkeys(("gt", "gte", "lt", "lte"), timestamp))


def time_range(value: Any, name: str) -> dict[str, int]:
    """Bounds in Unix seconds; a bare number asks for exactly that second."""
    if isinstance(value, dict):
        return _BOUNDS.checked(value, name)
    exactly: int = timestamp(value, name)
    return {"gte": exactly, "lte": exactly}


def single(fields: dict[str, Check] | None = None, *, required: tuple[str, ...] = ()) -> Schema:
    """An endpoint that answers with one object."""
    return Schema({**(fields or {}), "expand": listed(text())}, required)


def listing(fields: dict[str, Check] | None = None) -> Schema:
    """An endpoint that lists: limit of 1 to 100, cursors and creation time come with it."""
    return single(
        {
            "limit": integer(1, 100),
            "starting_after": text(may_unset=False),
            "ending_before": text(may_unset=False),
            "created": time_range,
            **(fields or {}),
        }
    )
