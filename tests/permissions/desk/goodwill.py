"""Goodwill: the ticket's door, what was given, and the limits."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Group

from backoffice.accounts.roles import Role
from support.models import Goodwill, GoodwillLimit
from tests.accounts.factories import UserFactory
from tests.compensation.factories import AwardFactory
from tests.permissions.desk.tickets import AGENTS, SEES_DESK
from tests.permissions.rows import ADMINISTRATOR, Row, admin, pages
from tests.support.factories import opened


def rows() -> Iterator[Row]:
    yield from admin("support_ticket_goodwill", AGENTS, "pk=ticket", get=True)
    yield from pages("support", "goodwill", "goodwill", see=SEES_DESK)
    yield from pages(
        "support", "goodwilllimit", "goodwill_limit",
        see=SEES_DESK, add=ADMINISTRATOR, change=ADMINISTRATOR, delete=ADMINISTRATOR,
    )  # fmt: skip


def world(made: dict[str, Any]) -> dict[str, Any]:
    ticket = opened()
    award = AwardFactory.create(batch=None, source="goodwill", state="approved")
    given = Goodwill.objects.create(
        ticket=ticket, award=award, by=UserFactory.create(), reason="Sorry.", key="1"
    )
    limit = GoodwillLimit.objects.create(
        role=Group.objects.get(name=Role.SUPPORT_AGENT.value),
        benefit="trial",
        per_ticket=7,
        per_day=14,
        per_customer=30,
    )
    return {"goodwill": given.pk, "goodwill_limit": limit.pk}
