"""Macros: seen by the desk, written by leads."""

from collections.abc import Iterator
from typing import Any

from support.models import Macro
from tests.permissions.desk.tickets import LEAD, SEES_DESK
from tests.permissions.rows import Row, admin, pages


def rows() -> Iterator[Row]:
    yield from pages("support", "macro", "macro", see=SEES_DESK, add=LEAD, change=LEAD, delete=LEAD)
    yield from admin("support_macro_preview", LEAD)


def world(made: dict[str, Any]) -> dict[str, Any]:
    """The API's rows speak of the same one."""
    return {"macro": made.get("macro") or Macro.objects.create(name="Sorry").pk}
