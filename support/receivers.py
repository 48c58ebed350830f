"""News from the verbs: somebody is woken."""

from typing import Any

from django.core.cache import cache

from support.tasks import (
    AWAKE,
    process_events,
    recalculate_deadlines,
    refresh_waiting,
    send_staff_notices,
)


def wake_processing(**more: Any) -> None:
    """At most one waiting wake-up at a time: a flood of tickets needs no flood of messages."""
    if cache.add(AWAKE, 1, timeout=2):
        process_events.delay()


def score_again(**more: Any) -> None:
    """By a worker: the queue may be long."""
    refresh_waiting.delay()


def tell_colleagues(**more: Any) -> None:
    """A moment later, so that what happens together goes in one mail."""
    if cache.add("support.staff_notices.awake", 1, timeout=5):
        send_staff_notices.apply_async(countdown=5)


def deadlines_again(**more: Any) -> None:
    """By a worker: the tickets may be many."""
    recalculate_deadlines.delay()
