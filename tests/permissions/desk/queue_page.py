"""The queue page: its fragments, what is done to many tickets, presence, saved views."""

from collections.abc import Iterator
from typing import Any

from support.models import SavedView
from tests.accounts.factories import UserFactory
from tests.permissions.desk.tickets import AGENTS, LEAD, SEES_DESK
from tests.permissions.rows import Row, admin, form, look


def rows() -> Iterator[Row]:
    yield from admin("support_ticket_presence", SEES_DESK, "pk=ticket")
    yield from look("support_ticket_filter", SEES_DESK)
    yield from look("support_ticket_news", SEES_DESK)
    yield from form("support_ticket_bulk", AGENTS)
    yield from admin("support_ticket_take_next", AGENTS)
    yield from admin("support_savedview_save", SEES_DESK)
    yield from admin("support_savedview_share", LEAD, "pk=saved_view")
    yield from admin("support_savedview_delete", LEAD, "pk=saved_view")


def world(made: dict[str, Any]) -> dict[str, Any]:
    shared = SavedView.objects.create(
        owner=UserFactory.create(), name="VIPs", query="tag=vip", is_shared=True
    )
    return {"saved_view": shared.pk}
