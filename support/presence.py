"""Who is looking at a ticket or answering it, and what each has seen of it.

Kept in the cache only: it is forgotten by itself, and the desk works on without it when the cache
is gone. Two beats in the same millisecond may lose one of them until its next.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.cache import cache
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from backoffice.accounts.models import User

log = logging.getLogger(__name__)

VIEWING, ANSWERING, GONE = "viewing", "answering", "gone"
DOINGS = (VIEWING, ANSWERING, GONE)
# Seconds. A page tells every 15; three that did not come, and somebody is gone.
FORGOTTEN_AFTER = 45
SEEN_FOR = 30 * 24 * 3600

Anything = TypeVar("Anything")


@dataclass(frozen=True)
class Presence:
    """One person on one ticket."""

    user_id: int
    name: str
    is_answering: bool


def note_presence(ticket_id: int, user: User, doing: str) -> None:
    """`user` is looking at the ticket, answering it, or gone (one of DOINGS)."""

    def note() -> None:
        now = time.time()
        people = cache.get(_key(ticket_id)) or {}
        people.pop(user.pk, None)
        if doing != GONE:
            people[user.pk] = (user.get_full_name(), doing == ANSWERING, now + FORGOTTEN_AFTER)
            cache.set(_seen_key(user.pk, ticket_id), now, SEEN_FOR)
        cache.set(_key(ticket_id), people, FORGOTTEN_AFTER)

    _without_fail(note, None)


def present_on(ticket_ids: Iterable[int], *, but: User | None = None) -> dict[int, list[Presence]]:
    """Who is on which of the tickets, those who answer first; leaves `but` out. One round trip."""
    keys = {_key(ticket_id): ticket_id for ticket_id in ticket_ids}
    found: dict[str, Any] = _without_fail(lambda: cache.get_many(keys), {}) if keys else {}
    now, skipped = time.time(), but.pk if but else None
    present = {}
    for key, people in found.items():
        here = [
            Presence(user_id, name, is_answering)
            for user_id, (name, is_answering, until) in people.items()
            if until > now and user_id != skipped
        ]
        if here:
            present[keys[key]] = sorted(here, key=lambda one: (not one.is_answering, one.name))
    return present


def seen_at(user: User, ticket_ids: Iterable[int]) -> dict[int, float]:
    """When `user` last had each ticket open, as a Unix time; unknown ones are left out."""
    keys = {_seen_key(user.pk, ticket_id): ticket_id for ticket_id in ticket_ids}
    found: dict[str, float] = _without_fail(lambda: cache.get_many(keys), {}) if keys else {}
    return {keys[key]: moment for key, moment in found.items()}


def said(people: list[Presence]) -> str:
    """The people on a ticket in words: “Ben is answering, Ann is looking”."""
    words = [
        (_("%(name)s is answering") if one.is_answering else _("%(name)s is looking"))
        % {"name": one.name}
        for one in people
    ]
    return ", ".join(words)


def _without_fail(read: Callable[[], Anything], otherwise: Anything) -> Anything:
    try:
        return read()
    except RedisError:
        log.warning("The cache does not answer: nobody knows who is on which ticket")
        return otherwise


def _key(ticket_id: int) -> str:
    return f"desk.presence.{ticket_id}"


def _seen_key(user_id: int, ticket_id: int) -> str:
    return f"desk.seen.{user_id}.{ticket_id}"
