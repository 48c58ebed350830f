"""Reconciliation: our ledger and awards beside what Stripe holds, both ways.

A run (`runs`) walks over customers (`walking`): our side (`ours`) and Stripe's (`theirs`) are read
and compared (`comparing`, `matching`, `consuming`), and every difference becomes a finding
(`writing`). Nothing is mended by itself: people do, finding by finding (`remedies`).
"""

from compensation.reconciliation.runs import next_run, open_run, start_daily, start_run, stop_run
from compensation.reconciliation.walking import ReconcilerLock, Walker

# A Celery task lasts at most about a minute, then calls the next.
RUN_SECONDS = 45.0


def go_on(*, seconds: float = RUN_SECONDS) -> bool:
    """Compare for about `seconds`; whether more is to be done right now.

    False as well while another walker is at it, or issuing has work.
    """
    with ReconcilerLock() as lock:
        return lock.is_held and Walker(lock, seconds=seconds).walk()


__all__ = ["go_on", "next_run", "open_run", "start_daily", "start_run", "stop_run"]
