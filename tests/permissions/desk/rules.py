"""Conditions, agents, rules and webhooks."""

from collections.abc import Iterator

from tests.permissions.desk.tickets import SEES_DESK
from tests.permissions.rows import Row


def rows() -> Iterator[Row]:
    yield Row("ticket-condition-fields", SEES_DESK)
    yield Row("ticket-condition-values", SEES_DESK, args={})
