"""Who may be given a ticket, how much they have, and who is away."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils import timezone

from backoffice.accounts.models import User
from support.models import Agent, Ticket
from support.models.ticket import ACTIVE


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who may work on a ticket; `active` counts their new and open tickets."""

    user: User
    active: int
    capacity: int | None
    is_away: bool
    away_until: datetime | None
    is_assignee: bool
    is_me: bool


def colleagues_for(ticket: Ticket, user: User) -> list[Colleague]:
    """Who may work in the ticket's queue: `user` first, then those present with the least to do.

    Three queries, whatever their number.
    """
    people = _workers(ticket)
    load = dict(
        Ticket.objects.filter(assignee__in=[person.pk for person in people], status__in=ACTIVE)
        .order_by()
        .values("assignee")
        .annotate(n=Count("id"))
        .values_list("assignee", "n")
    )
    found = [_colleague(person, load.get(person.pk, 0), ticket, user) for person in people]
    return sorted(found, key=lambda c: (not c.is_me, c.is_away, c.active, str(c.user).lower()))


def _workers(ticket: Ticket) -> list[User]:
    """Active staff with the permission to answer, and with the queue."""
    answers = Q(is_superuser=True) | Q(
        groups__permissions__codename="answer_ticket",
        groups__permissions__content_type__app_label="support",
    )
    people = User.objects.filter(answers, is_active=True, is_staff=True)
    if ticket.queue.members.exists():
        sees_all = Q(
            groups__permissions__codename="see_all_queues",
            groups__permissions__content_type__app_label="support",
        )
        everywhere = User.objects.filter(sees_all | Q(is_superuser=True)).values("pk")
        people = people.filter(Q(queues=ticket.queue_id) | Q(pk__in=everywhere))
    return list(people.distinct().select_related("agent").order_by("full_name", "email"))


def _colleague(person: User, active: int, ticket: Ticket, user: User) -> Colleague:
    agent: Agent | None = getattr(person, "agent", None)
    return Colleague(
        user=person,
        active=active,
        capacity=agent.capacity if agent else None,
        is_away=is_away(agent),
        away_until=agent.away_until if agent else None,
        is_assignee=ticket.assignee_id == person.pk,
        is_me=person.pk == user.pk,
    )


def is_away(agent: Agent | None) -> bool:
    """Whether they are away now, as their times say."""
    now = timezone.now()
    if agent is None or agent.away_from is None or agent.away_from > now:
        return False
    return agent.away_until is None or agent.away_until > now
