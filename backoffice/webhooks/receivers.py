"""Asks a worker to handle now what would wait for the next beat."""

from typing import Any

from django.core.cache import cache

from backoffice.webhooks import tasks

# A worker that was asked and never came is asked again after this time.
ASLEEP_SECONDS = 5


def wake_handling(sender: object, *, pk: int, **more: Any) -> None:
    """One message wakes a worker; the rows are the queue of record."""
    if cache.add(tasks.AWAKE, pk, timeout=ASLEEP_SECONDS):
        tasks.handle_events.apply_async(args=(pk,), retry=False)
