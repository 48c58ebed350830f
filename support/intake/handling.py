"""What was kept becomes a ticket, or a message of one; whatever happens, a ticket exists."""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, ProgrammingError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from support.intake.fallback import open_unreadable
from support.intake.taking import take_in
from support.models import Inbound

log = logging.getLogger(__name__)

# After so many attempts that failed, or were cut off, it becomes a ticket unread.
ATTEMPTS = 3
# The database, its schema or the files' storage: they come back, and then all is well.
AROUND = (OperationalError, InterfaceError, ProgrammingError, OSError)
LONGEST_SECONDS = 30.0


def handle_inbound(ids: Sequence[int] = (), *, seconds: float = LONGEST_SECONDS) -> bool:
    """Handle what waits, the oldest first, or only `ids`; whether some is left after `seconds`.

    Each is claimed for one attempt, committed, then handled in one transaction of its own. One that
    fails is tried again later, and becomes a ticket that shows it raw after the third time.
    """
    until = time.monotonic() + seconds
    while pk := _claim(ids):
        _handle(pk)
        if time.monotonic() > until:
            return _waiting(ids).exists()
    return False


def _claim(ids: Sequence[int]) -> int | None:
    """Count an attempt before it begins: what kills its worker is not tried for ever.

    The next attempt is due a minute after this one began.
    """
    with transaction.atomic():
        row = (
            _waiting(ids)
            .select_for_update(skip_locked=True)
            .order_by("id")
            .values_list("pk", flat=True)
            .first()
        )
        if row is not None:
            due = timezone.now() + timedelta(minutes=1)
            Inbound.objects.filter(pk=row).update(attempts=F("attempts") + 1, next_at=due)
    return row


def _waiting(ids: Sequence[int]) -> QuerySet[Inbound]:
    now = timezone.now()
    rows = Inbound.objects.filter(state=Inbound.State.NEW).filter(
        Q(next_at=None) | Q(next_at__lte=now)
    )
    return rows.filter(pk__in=ids) if ids else rows


def _handle(pk: int) -> None:
    try:
        with transaction.atomic():
            row = Inbound.objects.select_for_update().get(pk=pk)
            if row.state != Inbound.State.NEW:
                return
            if row.attempts > ATTEMPTS:
                open_unreadable(row)
            else:
                take_in(row)
    except Exception as error:
        # A stranger's bytes, or a storage that is away: neither may stop the others.
        log.exception("Inbound %s could not be handled", pk)
        _note(pk, error)


def _note(pk: int, error: Exception) -> None:
    """Remember what went wrong. What is no fault of the message's own counts as no attempt."""
    changes: dict[str, Any] = {
        "error": f"{type(error).__name__}: {error}"[:2_000].replace("\x00", "")
    }
    if isinstance(error, AROUND):
        changes["attempts"] = F("attempts") - 1
    Inbound.objects.filter(pk=pk, state=Inbound.State.NEW).update(**changes)
