"""The weights of the priority and the words that tell moods."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from support.models import PriorityWord
from tests.permissions.actors import STAFF
from tests.permissions.desk.tickets import LEAD, SEES_DESK
from tests.permissions.rows import Row, admin, pages


def rows() -> Iterator[Row]:
    # The setting's own page leads to the list, which is the page.
    for row in pages("support", "prioritysetting", "=1", see=SEES_DESK):
        yield replace(row, opens=STAFF) if row.door.endswith("_change") else row
    for door in ("preview", "save"):
        yield from admin(f"support_prioritysetting_{door}", LEAD)
    yield from pages(
        "support", "priorityword", "word", see=SEES_DESK, add=LEAD, change=LEAD, delete=LEAD
    )


def world(made: dict[str, Any]) -> dict[str, Any]:
    return {"word": PriorityWord.objects.order_by("pk")[0].pk}
