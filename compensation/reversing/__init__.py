"""Reversing: taking issued awards back, each at most once and never more than is left of it.

Somebody asks (`asking`), somebody else approves (`deciding`). Then each award's reversal is
claimed (`claiming`), its order is sent on threads (`orders`, `sending`), and what comes back is
written with the ledger's entry (`writing`). It goes out under the lock of issuing (`run`): one
process speaks to Stripe about money at a time.
"""

from compensation.reversing.asking import (
    ask_for_award,
    ask_for_batch,
    ask_for_extra,
    retry_reversals,
    withdraw_request,
)
from compensation.reversing.claiming import has_reversals
from compensation.reversing.deciding import approve_request, refusal, reject_request
from compensation.reversing.run import Tally, take_back
from compensation.reversing.settling import settle_reversal

__all__ = [
    "Tally",
    "approve_request",
    "ask_for_award",
    "ask_for_batch",
    "ask_for_extra",
    "has_reversals",
    "refusal",
    "reject_request",
    "retry_reversals",
    "settle_reversal",
    "take_back",
    "withdraw_request",
]
