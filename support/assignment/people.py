"""Who can be given tickets at this moment, and how many more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
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
    loads = _loads(agent.user_id for agent in agents)
    members: dict[int, set[int]] = {}
    for queue_id, user_id in Queue.members.through.objects.values_list("queue_id", "user_id"):
        members.setdefault(queue_id, set()).add(user_id)
    queues = list(queues)
    return [
        Colleague(agent, loads.get(agent.user_id, 0), _queues_of(agent, queues, members))
        for agent in agents
    ]


def hindrances(queue: Queue) -> list[tuple[User, str]]:
    """Who works in the queue, by name, with why they are given none of its tickets now, if so.

    Of a queue without members: all agents. Four queries, whatever the numbers.
    """
    theirs = User.objects.filter(queues=queue)
    if not theirs.exists():
        theirs = User.objects.filter(agent__isnull=False)
    people = theirs.select_related("agent").order_by("full_name", "email")
    able = set(holders_of("answer_ticket").values_list("pk", flat=True))
    loads = _loads(person.pk for person in people)
    return [
        (person, _hindrance(person, queue, loads.get(person.pk, 0), is_able=person.pk in able))
        for person in people
    ]


def _hindrance(person: User, queue: Queue, load: int, *, is_able: bool) -> str:
    agent: Agent | None = getattr(person, "agent", None)
    if not is_able:
        return _("may not answer tickets")
    if agent is None:
        return _("is no agent yet: add them under Agents")
    missing = ", ".join(sorted(set(queue.skills) - set(agent.skills)))
    figures = {"load": load, "capacity": agent.capacity}
    reasons = [
        (agent.is_away(timezone.now()), _("is away")),
        (not agent.takes_part, _("only takes tickets by hand")),
        (bool(missing), _("lacks %(skills)s") % {"skills": missing}),
        (load >= agent.capacity, _("has %(load)s of %(capacity)s tickets") % figures),
    ]
    return next((reason for holds, reason in reasons if holds), "")


def _loads(user_ids: Iterable[int]) -> dict[int, int]:
    theirs = Ticket.objects.filter(assignee__in=list(user_ids), status__in=ACTIVE).order_by()
    return dict(theirs.values_list("assignee").annotate(Count("pk")))


def _queues_of(agent: Agent, queues: list[Queue], members: dict[int, set[int]]) -> frozenset[int]:
    """Those of `queues` that are theirs or everybody's, and whose skills they have."""
    return frozenset(
        queue.pk
        for queue in queues
        if agent.user_id in members.get(queue.pk, {agent.user_id})
        and set(queue.skills) <= set(agent.skills)
    )
