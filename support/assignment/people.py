"""Who can be given tickets at this moment, and how many more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, Q
from django.utils import timezone

from support.authority import holders_of
from support.models import Agent, Queue, Ticket
from support.models.ticket import ACTIVE

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Colleague:
    """An agent who is there, with the load that changes while tickets are dealt out.

    `load` counts new and open tickets; what waits for the customer weighs nothing.
    """

    agent: Agent
    load: int
    # Queues whose tickets they are given.
    queue_ids: frozenset[int]

    @property
    def free(self) -> int:
        return max(0, self.agent.capacity - self.load)

    @property
    def last_given_at(self) -> datetime:
        return self.agent.last_given_at or LONG_AGO

    def fits(self, queue_id: int, language: str) -> bool:
        """Whether they work there and speak that, whatever their load."""
        speaks = not self.agent.languages or language in self.agent.languages
        return speaks and queue_id in self.queue_ids


def present(at: datetime) -> Q:
    """The filter for agents who are not away at that moment (UTC)."""
    return Q(away_from=None) | Q(away_from__gt=at) | Q(away_until__lte=at)


def colleagues_of(queues: Iterable[Queue]) -> list[Colleague]:
    """Who is given tickets of `queues`: locked until the transaction ends, in a fixed order.

    So of two workers who deal out at once the second waits, and counts what the first gave. Four
    queries, whatever the numbers.
    """
    agents = list(
        Agent.objects.filter(
            present(timezone.now()), takes_part=True, user__in=holders_of("answer_ticket")
        )
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    loads = dict(
        Ticket.objects.filter(assignee__in=[agent.user_id for agent in agents], status__in=ACTIVE)
        .values_list("assignee")
        .annotate(Count("pk"))
        .order_by()
    )
    members: dict[int, set[int]] = {}
    for queue_id, user_id in Queue.members.through.objects.values_list("queue_id", "user_id"):
        members.setdefault(queue_id, set()).add(user_id)
    queues = list(queues)
    return [
        Colleague(agent, loads.get(agent.user_id, 0), _queues_of(agent, queues, members))
        for agent in agents
    ]


def _queues_of(agent: Agent, queues: list[Queue], members: dict[int, set[int]]) -> frozenset[int]:
    """Those of `queues` that are theirs or everybody's, and whose skills they have."""
    return frozenset(
        queue.pk
        for queue in queues
        if agent.user_id in members.get(queue.pk, {agent.user_id})
        and set(queue.skills) <= set(agent.skills)
    )
