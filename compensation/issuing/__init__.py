"""Issuing: making approved awards real, each exactly once.

An award is claimed (`claiming`), its order is sent on threads (`orders`, `sending`), what comes
back is written with the ledger's entry (`writing`). One issuer runs at a time (`lock`, `issuer`);
people stop and resume it (`control`). What nobody can prove is a person's (`deciding`).
"""

from compensation.issuing.claiming import is_stopped
from compensation.issuing.control import (
    has_work,
    pause_batch,
    resume_batch,
    resume_issuing,
    stop_issuing,
)
from compensation.issuing.deciding import adopt_award, give_up_award, resend_award
from compensation.issuing.issuer import Issuer, Tally
from compensation.issuing.lock import IssuerLock
from compensation.issuing.looking import look_at_stripe
from compensation.issuing.retrying import retry_award, retry_failed

# A Celery task lasts at most about a minute, then calls the next.
RUN_SECONDS = 50.0


def issue(*, seconds: float = RUN_SECONDS) -> Tally | None:
    """Issue what is approved, for about `seconds` at most; None if another issuer is at it."""
    with IssuerLock() as lock:
        if not lock.is_held:
            return None
        return Issuer(lock, seconds=seconds).run()


__all__ = [
    "Tally",
    "adopt_award",
    "give_up_award",
    "has_work",
    "is_stopped",
    "issue",
    "look_at_stripe",
    "pause_batch",
    "resend_award",
    "resume_batch",
    "resume_issuing",
    "retry_award",
    "retry_failed",
    "stop_issuing",
]
