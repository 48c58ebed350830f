"""The ticket's own pages."""

from collections.abc import Iterator
from typing import Any

from backoffice.accounts.roles import Role
from tests.permissions.rows import ADMINISTRATOR, AUDITS, MANAGER, Row, pages
from tests.support.factories import QueueFactory, opened

AGENTS = frozenset({Role.SUPPORT_AGENT.value, Role.SUPPORT_LEAD.value})
LEAD = frozenset({Role.SUPPORT_LEAD.value})
SEES_DESK = AGENTS | AUDITS | MANAGER


def rows() -> Iterator[Row]:
    yield from pages("support", "ticket", "ticket", see=SEES_DESK, add=AGENTS)
    queues = LEAD | ADMINISTRATOR
    yield from pages(
        "support", "queue", "queue", see=SEES_DESK, add=queues, change=queues, delete=queues
    )


def world(made: dict[str, Any]) -> dict[str, Any]:
    return {"ticket": opened().pk, "queue": QueueFactory.create().pk}
