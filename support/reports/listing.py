"""The tickets of a report, line by line, for people who count themselves."""

from collections.abc import Iterator
from typing import Any

from backoffice.spreadsheets import safe_cell
from support.reports.scope import Scope

COLUMNS = (
    "number", "subject", "status", "channel", "language", "queue", "assignee", "customer",
    "incident", "tags", "band", "score", "created_at", "first_response_at", "first_response_due_at",
    "solved_at", "resolution_due_at", "missed_promises", "reopened", "messages",
)  # fmt: skip


def ticket_lines(scope: Scope) -> Iterator[list[str]]:
    """The header, then a line a ticket, read in pieces. Times are UTC."""
    yield list(COLUMNS)
    tickets = (
        scope.opened()
        .order_by("id")
        .values_list(
            "id", "subject", "status", "channel", "language", "queue__name", "assignee__email",
            "customer__reference", "incident__number", "tags", "band", "score", "created_at",
            "first_response_at", "first_response_due_at", "solved_at", "resolution_due_at",
            "breaches", "reopened", "messages_count",
        )
    )  # fmt: skip
    for pk, *values in tickets.iterator(chunk_size=2000):
        yield [f"T-{pk}", *(_cell(value) for value in values)]


def _cell(value: Any) -> str:
    return safe_cell(" ".join(value) if isinstance(value, list) else value)
