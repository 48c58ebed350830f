"""The one place where a ticket's timeline is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from backoffice.accounts.models import User
from support import signals
from support.models import TicketEvent

_depth: ContextVar[int] = ContextVar("depth of rules", default=0)


def record_event(
    ticket_id: int,
    kind: str,
    *,
    by: User | None,
    reason: str = "",
    change: tuple[Any, Any] | None = None,
    **data: Any,
) -> TicketEvent:
    """Add one line to the ticket's timeline, within the caller's transaction.

    `change` is what was before and what is now; both must be fit for JSON, as all data.
    """
    return record_events([new_event(ticket_id, kind, by=by, reason=reason, change=change, **data)])[
        0
    ]


def new_event(
    ticket_id: int,
    kind: str,
    *,
    by: User | None,
    reason: str = "",
    change: tuple[Any, Any] | None = None,
    **data: Any,
) -> TicketEvent:
    """An event that is not stored yet, for `record_events`; arguments as there."""
    if change is not None:
        data = {"from": change[0], "to": change[1], **data}
    return TicketEvent(
        ticket_id=ticket_id,
        kind=kind,
        by=by,
        reason=reason,
        data=data,
        at=timezone.now(),
        depth=_depth.get(),
    )


def record_events(events: list[TicketEvent]) -> list[TicketEvent]:
    """Add many lines at once; whoever works from them is woken after the commit."""
    stored = TicketEvent.objects.bulk_create(events)
    transaction.on_commit(partial(signals.events_recorded.send, sender=TicketEvent))
    return stored


@contextmanager
def caused_by_rule(depth: int) -> Iterator[None]:
    """Events recorded in here came from a rule that itself answered an event of `depth`."""
    token = _depth.set(depth + 1)
    try:
        yield
    finally:
        _depth.reset(token)
