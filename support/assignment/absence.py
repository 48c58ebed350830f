"""Agents who are away: who stands in, and what becomes of their tickets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import history
from compensation.authority import person_with
from support.assignment.people import present
from support.authority import holders_of
from support.models import Agent, Ticket
from support.tickets import assign


def set_absence(
    agent: Agent,
    *,
    away_from: datetime,
    away_until: datetime | None,
    stand_in: User | None,
    by: User,
) -> Agent:
    """Say that `agent` is away from then until before then (UTC; None: until further notice).

    When it begins, their new and open tickets go to the stand-in, or back to their queues; a
    waiting one follows when its customer writes.

    Raises:
        PermissionDenied: `by` is neither the agent nor sets agents up.
        ValidationError.
    """
    _may_change(agent, by)
    _check(agent, away_from, away_until, stand_in)
    return _store(
        agent, by=by, reason="absence", away_from=away_from, away_until=away_until,
        stand_in=stand_in, handed_over_at=None,
    )  # fmt: skip


def end_absence(agent: Agent, *, by: User | None) -> Agent:
    """They are back, or don't go. Tickets that were handed over stay where they are.

    Raises:
        PermissionDenied.
    """
    if by is not None:
        _may_change(agent, by)
    return _store(
        agent, by=by, reason="back", away_from=None, away_until=None,
        stand_in=None, handed_over_at=None,
    )  # fmt: skip


def begin_absences() -> int:
    """Hand over the tickets of whose absence has begun, once; how many tickets."""
    now = timezone.now()
    begun = Agent.objects.filter(~present(now), handed_over_at=None)
    return sum(_hand_over_all(pk, now) for pk in begun.values_list("pk", flat=True))


def end_absences() -> int:
    """Those whose time is over are there again; how many."""
    over = Agent.objects.filter(away_until__lte=timezone.now(), away_from__lt=F("away_until"))
    return len([end_absence(agent, by=None) for agent in over])


def hand_over_answered(ticket_ids: Iterable[int]) -> int:
    """The customers of these wrote: what belongs to somebody who is away is handed over now."""
    away = Agent.objects.filter(~present(timezone.now()))
    theirs = Ticket.objects.active().filter(
        pk__in=list(ticket_ids), assignee__in=away.values("user")
    )
    tickets = list(theirs.select_related("assignee__agent__stand_in"))
    for ticket in tickets:
        agent: Any = ticket.assignee.agent  # type: ignore[union-attr]
        _hand_over(ticket, agent)
    return len(tickets)


@transaction.atomic
def _hand_over_all(agent_pk: int, now: datetime) -> int:
    # A second worker finds the row locked, or the absence handed over.
    row = Agent.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        ~present(now), pk=agent_pk, handed_over_at=None
    )
    agent = row.select_related("user", "stand_in").first()
    if agent is None:
        return 0
    tickets = list(Ticket.objects.active().filter(assignee=agent.user).in_order())
    for ticket in tickets:
        _hand_over(ticket, agent)
    Agent.objects.filter(pk=agent.pk).update(handed_over_at=now)
    return len(tickets)


def _hand_over(ticket: Ticket, agent: Agent) -> None:
    reason = f"{agent} is away"
    stand_in = agent.stand_in
    if stand_in is not None and not _is_away(stand_in):
        try:
            assign(ticket, stand_in, by=None, reason=reason)
        except ValidationError:
            pass  # does not work in this queue
        else:
            return
    assign(ticket, None, by=None, reason=reason)


def _is_away(user: User) -> bool:
    return Agent.objects.filter(~present(timezone.now()), user=user).exists()


def _may_change(agent: Agent, by: User) -> None:
    own = by.pk == agent.user_id
    person_with(by, "support.answer_ticket" if own else "support.change_agent")


def _check(
    agent: Agent, away_from: datetime, away_until: datetime | None, stand_in: User | None
) -> None:
    problems = {}
    if away_until is not None and away_until <= away_from:
        problems["away_until"] = _("The end must be after the beginning.")
    elif away_until is not None and away_until <= timezone.now():
        problems["away_until"] = _("This absence is over already.")
    if stand_in is not None and stand_in.pk == agent.user_id:
        problems["stand_in"] = _("Nobody stands in for themselves.")
    elif stand_in is not None and not holders_of("answer_ticket").filter(pk=stand_in.pk).exists():
        problems["stand_in"] = _("%(user)s may not answer tickets.") % {"user": stand_in}
    if problems:
        raise ValidationError(problems)


def _store(agent: Agent, *, by: User | None, reason: str, **changes: Any) -> Agent:
    with history(by=by, reason=reason):
        Agent.objects.filter(pk=agent.pk).update(**changes)
    agent.refresh_from_db()
    return agent
