"""Which tickets a queue page shows: what its query string says, made into a query.

A tab, a saved view and a link from elsewhere are nothing but such a query string. Its words:

    q         text to search for (`support.search`)
    status    active (new and open; if nothing is said), waiting (and on hold), unsolved, any,
              or one status; with `q` any, if nothing is said
    queue     a queue's short name, or all; if nothing is said, the reader's own queues
    assignee  me, none, or a user's id
    band      1 to 4
    channel, language, tag
    incident  its number
    customer  a reference or e-mail address
    due       missed, soon (within half an hour, or missed), today, none
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import QueryDict
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from incidents.models import Incident
from support.models import Queue, Ticket
from support.models.ticket import ACTIVE, RESTING, UNSOLVED, WORK_ORDER, Status

SOON = timedelta(minutes=30)
LONGEST = 200
STATUSES: dict[str, tuple[str, ...]] = {
    **{status.value: (status.value,) for status in Status},
    "active": ACTIVE,
    "waiting": RESTING,
    "unsolved": UNSOLVED,
}
# What an index gives in the order of work; anything more is looked up first and sorted then.
INDEXED = {"status", "queue", "assignee"}
# So it is with what is to be done about an incident, and with all that is about it.
INDEXED_OF_INCIDENT = {"incident", "status", "queue"}


@dataclass(frozen=True)
class Desk:
    """What a reader has before them: the queues they may see, and which of them are theirs."""

    user: User
    queues: tuple[Queue, ...]
    mine: frozenset[int]
    sees_all: bool

    def tickets(self) -> QuerySet[Ticket]:
        """All that the reader may see; the same as `Ticket.objects.seen_by`, with one join less."""
        if self.sees_all:
            return Ticket.objects.all()
        return Ticket.objects.filter(queue__in=[queue.pk for queue in self.queues])


def desk_of(user: Any) -> Desk:
    """The reader's desk. One query.

    Their queues are those they are a member of and those without members; of somebody who sees all
    and is a member of none, all.
    """
    members = Queue.members.through.objects.filter(queue=OuterRef("pk"))
    queues: tuple[Any, ...] = tuple(
        Queue.objects.seen_by(user)
        .annotate(has_me=Exists(members.filter(user=user)), has_members=Exists(members))
        .order_by("name")
    )
    sees_all = user.has_perm("support.see_all_queues")
    everywhere = sees_all and not any(queue.has_me for queue in queues)
    mine = frozenset(
        queue.pk for queue in queues if queue.has_me or not queue.has_members or everywhere
    )
    return Desk(user, queues, mine, sees_all)


@dataclass(frozen=True)
class Filter:
    """A queue page's query string, read; the fields are its words."""

    q: str = ""
    status: str = ""
    queue: str = ""
    assignee: str = ""
    band: str = ""
    channel: str = ""
    language: str = ""
    incident: str = ""
    tag: str = ""
    customer: str = ""
    due: str = ""

    @classmethod
    def read(cls, query: str | Mapping[str, Any]) -> "Filter":
        """From a query string or a request's GET; words it does not know are left out."""
        said = QueryDict(query) if isinstance(query, str) else query
        words = {
            field.name: str(said.get(field.name, "")).replace("\0", "").strip()[:LONGEST]
            for field in fields(cls)
        }
        return cls(**words)

    def query(self, **changes: str) -> str:
        """The query string of this filter, with changes; empty words are left out."""
        return urlencode({k: v for k, v in asdict(replace(self, **changes)).items() if v})

    @property
    def said(self) -> dict[str, str]:
        """What is filtered by, without the search text."""
        return {name: value for name, value in asdict(self).items() if value and name != "q"}

    @property
    def statuses(self) -> tuple[str, ...]:
        """Those shown; empty for any."""
        word = self.status or ("any" if self.q else "active")
        return STATUSES.get(word, () if word == "any" else (word,))

    @property
    def is_indexed(self) -> bool:
        """Whether an index gives these tickets in their order, without looking them up first."""
        of_incident = self.statuses in {ACTIVE, ()} and set(self.said) <= INDEXED_OF_INCIDENT
        return set(self.said) <= INDEXED or of_incident

    @property
    def order(self) -> tuple[Any, ...]:
        """The order of work for what is not over; the newest first for the rest."""
        if self.statuses and set(self.statuses) <= set(UNSOLVED):
            return WORK_ORDER
        return ("-id",)

    def tickets(self, desk: Desk, now: datetime | None = None) -> QuerySet[Ticket]:
        """The tickets, in no order, without the search text's part."""
        rows = desk.tickets()
        if self.statuses:
            rows = rows.filter(status__in=self.statuses)
        if (queues := self._queues(desk)) is not None:
            rows = rows.filter(queue__in=queues)
        return rows.filter(self._people(desk), self._due(now or timezone.now()), self._rest())

    def _queues(self, desk: Desk) -> list[int] | None:
        """The ids of the queues; None for whatever the reader sees."""
        if self.queue:
            is_all = self.queue == "all"
            return None if is_all else [q.pk for q in desk.queues if q.slug == self.queue]
        if self.q or len(desk.mine) == len(desk.queues):
            return None
        return sorted(desk.mine)

    def _people(self, desk: Desk) -> Q:
        who = Q()
        if self.assignee == "me":
            who = Q(assignee=desk.user.pk)
        elif self.assignee == "none":
            who = Q(assignee=None)
        elif self.assignee:
            who = Q(assignee=_number(self.assignee))
        if self.customer:
            known = Customer.objects.filter(reference=self.customer)
            who &= (
                Q(requester_address=self.customer.lower())
                if "@" in self.customer
                else Q(customer__in=known)
            )
        return who

    def _due(self, now: datetime) -> Q:
        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        until = {"missed": now, "soon": now + SOON, "today": midnight + timedelta(days=1)}
        if self.due == "none":
            return Q(due_at=None)
        return Q(due_at__lt=until[self.due]) if self.due in until else Q()

    def _rest(self) -> Q:
        rest = Q()
        if self.band:
            rest &= Q(band=_number(self.band))
        if self.channel:
            rest &= Q(channel=self.channel)
        if self.language:
            rest &= Q(language=self.language)
        if self.tag:
            rest &= Q(tags__contains=[self.tag.lower()])
        if self.incident:
            # one incident: of a set of them no index gives the order
            named = Incident.objects.filter(number=self.incident).values("pk")
            rest &= Q(incident=Subquery(named))
        return rest


def _number(word: str) -> int:
    """A number, or one that nothing has: a mistyped filter finds nothing."""
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 10 else 0  # noqa: PLR2004
