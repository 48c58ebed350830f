"""The tabs of the queue page: ready-made views, those that people saved, and how many are in each.

A count stops at MOST_COUNTED and is kept for some seconds: at a million tickets nobody needs to
know whether 48,211 or 48,212 wait, and the page must not pay for it.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet, PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from backoffice.accounts.models import User
from incidents.models import Incident
from support.models import SavedView
from support.queue_filters import Desk, Filter

MOST_COUNTED = 1000
COUNTS_KEPT = 10  # seconds
MOST_QUEUES = 12
MOST_INCIDENTS = 8
MOST_VIEWS = 50


@dataclass(frozen=True)
class Tab:
    """One view that the reader can go to. `group`: desk, queue, incident, own or shared.

    `kind` names those of the desk: todo, mine, free, due, waiting.
    """

    title: str
    query: str
    group: str
    view: SavedView | None = None
    hint: str = ""
    kind: str = ""


def tabs_of(desk: Desk) -> list[Tab]:
    """Every tab the reader has. Two queries: saved views and running incidents."""
    return [*_of_the_desk(), *_of_queues(desk), *_of_incidents(desk.user), *_saved(desk.user)]


def counts_of(desk: Desk, queries: Sequence[str]) -> dict[str, int]:
    """How many tickets each query string finds, at most MOST_COUNTED + 1. One query, or none."""
    wanted = sorted(set(queries))
    key = _counts_key(desk, wanted)
    kept = kept_counts(desk, wanted)
    if not kept:
        kept = _counted(desk, wanted)
        with suppress(RedisError):
            cache.set(key, kept, COUNTS_KEPT)
    return kept


def kept_counts(desk: Desk, queries: Sequence[str]) -> dict[str, int]:
    """The same where they were counted some seconds ago, else nothing. No query."""
    try:
        return dict(cache.get(_counts_key(desk, sorted(set(queries)))) or {})
    except RedisError:
        return {}


def quick(tabs: Sequence[Tab]) -> list[str]:
    """The query strings of those tabs that an index counts at once, whatever they hold."""
    return [tab.query for tab in tabs if tab.group in {"desk", "queue"}]


def slow(tabs: Sequence[Tab]) -> list[str]:
    """Those of the others that can be counted at all: a filter may have to look through much."""
    said = {tab.query: Filter.read(tab.query) for tab in tabs if tab.group not in {"desk", "queue"}}
    return [query for query, words in said.items() if not words.q]


def save_view(*, by: User, name: str, query: str) -> SavedView:
    """Keep the filter under a name; one of the same name is replaced.

    Raises:
        ValidationError: the name is empty or too long, or there are too many.
    """
    name = name.strip()
    view = SavedView(owner=by, name=name, query=Filter.read(query).query())
    view.clean_fields()
    if SavedView.objects.filter(owner=by).exclude(name=name).count() >= MOST_VIEWS:
        raise ValidationError(
            _("You have %(most)s views: delete one first.") % {"most": MOST_VIEWS}
        )
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        SavedView.objects.filter(owner=by, name=name).update(query=view.query)
        view = SavedView.objects.get(owner=by, name=name)
    return view


def share_view(view: SavedView, *, by: User, is_shared: bool) -> SavedView:
    """Show the view to everybody at the desk, or to its owner alone again.

    Raises:
        PermissionDenied: only leads share views.
    """
    if not by.has_perm("support.share_savedview"):
        raise PermissionDenied(_("Only leads share views."))
    if view.owner_id != by.pk and not view.is_shared:
        raise PermissionDenied(_("This view is somebody else's."))
    view.is_shared = is_shared
    view.save(update_fields=["is_shared"])
    return view


def delete_view(view: SavedView, *, by: User) -> None:
    """Take a view away: one's own; of those shared, leads any.

    Raises:
        PermissionDenied.
    """
    may = view.owner_id == by.pk or (view.is_shared and by.has_perm("support.share_savedview"))
    if not may:
        raise PermissionDenied(_("This view is somebody else's."))
    view.delete()


def _of_the_desk() -> list[Tab]:
    return [
        Tab(title, query, "desk", hint=hint, kind=kind)
        for kind, title, query, hint in (
            ("todo", _("To do"), "", _("new and open, in your queues")),
            ("mine", _("Mine"), "queue=all&assignee=me", _("new and open, yours")),
            ("free", _("Unassigned"), "assignee=none", _("nobody has taken them")),
            ("due", _("Breaching"), "due=soon", _("late, or within half an hour")),
            ("waiting", _("Waiting"), "status=waiting", _("on the customer, or on hold")),
        )
    ]


def _of_queues(desk: Desk) -> list[Tab]:
    active = [queue for queue in desk.queues if queue.is_active]
    if len(active) < 2:  # noqa: PLR2004 - one queue is what “To do” shows
        return []
    first = sorted(active, key=lambda queue: (queue.pk not in desk.mine, queue.name))
    return [Tab(q.name, f"queue={q.slug}", "queue") for q in first[:MOST_QUEUES]]


def _of_incidents(user: User) -> list[Tab]:
    if not user.has_perm("incidents.view_incident"):
        return []
    running = (
        Incident.objects.running()
        .filter(kind=Incident.Kind.INCIDENT)
        .only("number", "title")
        .order_by("-started_at")[:MOST_INCIDENTS]
    )
    return [
        Tab(i.number, Filter(queue="all", incident=i.number).query(), "incident", hint=i.title)
        for i in running
    ]


def _saved(user: User) -> list[Tab]:
    views = SavedView.objects.filter(Q(owner=user) | Q(is_shared=True))[: 2 * MOST_VIEWS]
    return [
        Tab(view.name, view.query, "own" if view.owner_id == user.pk else "shared", view)
        for view in views
    ]


def _counted(desk: Desk, queries: list[str]) -> dict[str, int]:
    """All counts in one statement, a bounded sub-select each."""
    if not queries:
        return {}
    counted, values = [], []
    for query in queries:
        sql, params = _bounded(Filter.read(query).tickets(desk))
        counted.append(f"(SELECT count(*) FROM ({sql}) AS found)")  # noqa: S608 - Django's own
        values += params
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counted)}", values)
        figures = cursor.fetchone()
    return dict(zip(queries, figures or (), strict=True))


def _bounded(tickets: QuerySet[Any]) -> tuple[str, list[Any]]:
    rows = tickets.order_by().values_list("pk")[: MOST_COUNTED + 1]
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:  # a queue that is not there
        return "SELECT 1 WHERE FALSE", []
    return sql, list(params)


def _counts_key(desk: Desk, queries: list[str]) -> str:
    told = hashlib.sha256("\n".join(queries).encode()).hexdigest()[:32]
    return f"desk.counts.{desk.user.pk}.{told}"
