"""One run of reversing: slices are claimed, sent on threads, and what comes back is written."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backoffice.states import move
from compensation import stripe_calls
from compensation.issuing import control
from compensation.issuing.bucket import TokenBucket
from compensation.issuing.lock import IssuerLock, LockLostError
from compensation.issuing.sending import Absent, NotSent, Unprovable
from compensation.models import ReversalRequest
from compensation.models.reversal import RequestState
from compensation.reversing import claiming, writing
from compensation.reversing.asking import locked_request
from compensation.reversing.deciding import TAMPERED, is_as_signed
from compensation.reversing.orders import ReversalOrder
from compensation.reversing.sending import Result, Sender, Short, Unread
from compensation.stripe_calls import Done, RateLimited, Rejected, Unauthorised, Unknown

logger = logging.getLogger(__name__)

# A slice is over when its slowest call is, so it is small.
SLICE = 64
# Reversals go before new awards, but do not keep them waiting for longer than this.
RUN_SECONDS = 15.0
# Before looking again, when a claim brought nothing to send.
IDLE_SECONDS = 0.02
# Pauses before an unanswered order is sent again under the same key.
PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0)
# Stripe's own failures under one key, after which its list is asked.
FAILURES_BEFORE_LOOKING = 3


@dataclass(slots=True)
class Tally:
    """What a run did. `has_more`: its time was over before the work was."""

    done: int = 0
    failed: int = 0
    unknown: int = 0
    has_more: bool = False


@dataclass(slots=True)
class _Held:
    """An order in hand; `looks_up`: Stripe is asked what became of it, nothing is sent.

    `is_settled`: Stripe has kept an answer under its key, so no call under it can be at work there.
    """

    order: ReversalOrder
    looks_up: bool = False
    is_settled: bool = False
    tries: int = 0


def take_back(*, seconds: float = RUN_SECONDS) -> Tally | None:
    """Take back what is approved, for about `seconds`; None if another issuer is at it."""
    with IssuerLock() as lock:
        if not lock.is_held:
            return None
        return _Run(lock, seconds).run()


class _Run:
    """By the holder of `lock`. The threads make calls only; the database is this thread's."""

    def __init__(self, lock: IssuerLock, seconds: float) -> None:
        self.tally = Tally()
        self._lock = lock
        self._ends_at = time.monotonic() + seconds
        self._is_halted = False
        self._bucket = TokenBucket(settings.STRIPE_CALLS_PER_SECOND)
        self._sender = Sender(stripe_calls.stripe_client(), self._bucket, lambda: self._is_halted)

    def run(self) -> Tally:
        """Until nothing is left to do, time is over, issuing is stopped, or the lock is lost."""
        _stop_what_was_not_signed()
        with ThreadPoolExecutor(settings.STRIPE_CALLS_IN_FLIGHT, "stripe") as pool:
            held = self._recovered()
            while self._goes_on():
                fresh = claiming.claim(limit=SLICE - len(held))
                if held and not fresh:
                    self._wait(max(each.tries for each in held))
                held += [_Held(order) for order in fresh]
                if not held and not claiming.has_claimable():
                    break
                if not held:
                    time.sleep(IDLE_SECONDS)  # what there is was settled, or somebody holds it
                held = self._written(held, list(pool.map(self._call, held)))
            else:
                self.tally.has_more = not self._is_halted
        _finish_requests()
        return self.tally

    def _goes_on(self) -> bool:
        try:
            self._lock.check()
        except LockLostError:
            logger.warning("reversing: the lock is lost, closing")
            self._is_halted = True
        return not self._is_halted and time.monotonic() < self._ends_at

    def _wait(self, tries: int) -> None:
        """Not beyond the end of the run: what is still `sending` is the next one's."""
        pause = PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS)) - 1] if tries else 0.0
        time.sleep(max(min(pause, self._ends_at - time.monotonic()), 0))

    def _recovered(self) -> list[_Held]:
        """What a run before this one left under way. Few: a run holds a slice at most."""
        now = timezone.now()
        held = []
        for each in claiming.recover():
            if each.order is None:
                self.tally.unknown += writing.write_other_parameters(each.reversal)
            else:
                held.append(_Held(each.order, looks_up=not each.order.key_is_safe(now)))
        return held

    def _call(self, held: _Held) -> Result:
        """On a thread. Whatever happens, something comes back."""
        try:
            send = self._sender.look_up if held.looks_up else self._sender.send
            return send(held.order)
        except Exception as error:  # the reversal must not be lost for a fault of ours
            logger.exception("reversing: reversal %s", held.order.reversal)
            return Unknown(f"{type(error).__name__}: {error}")

    # --- what comes back ---------------------------------------------------------------------

    def _written(self, held: list[_Held], results: list[Result]) -> list[_Held]:
        """Write each result down; those that need another call remain in hand."""
        returned: list[writing.Returned] = []
        again: list[_Held] = []
        for each, result in zip(held, results, strict=True):
            if isinstance(result, Done):
                returned.append(writing.Returned(each.order, result.stripe_id, result.balance))
            elif (still := self._judged(each, result)) is not None:
                again.append(still)
        self.tally.done += writing.write_returned(returned)
        return again

    def _judged(self, held: _Held, result: Result) -> _Held | None:
        match result:
            case Short(available_minor):
                writing.write_short(held.order, available_minor)
            case Absent() if held.is_settled or held.order.absence_is_proof(timezone.now()):
                writing.give_back(held.order)
            case Rejected(code, message):
                self.tally.failed += writing.write_failed(held.order, code, message)
            case Unprovable(reason):
                self.tally.unknown += writing.write_unknown(held.order, reason)
            case NotSent():
                self._call_off(held.order)
            case Unauthorised(message):
                self._call_off(held.order)
                self._stop(message)
            case _:
                return self._again(held, result)
        return None

    def _again(self, held: _Held, result: Result) -> _Held:
        if isinstance(result, RateLimited):
            self._bucket.slow_down()
            return held
        tries = held.tries + 1
        if isinstance(result, Unread):
            return replace(held, tries=tries)
        order = replace(held.order, is_fresh=False)
        if not isinstance(result, Unknown):
            # Not in the list, but a call under the key may still be at work.
            return _Held(order, not order.key_is_safe(timezone.now()), tries=tries)
        writing.note_unanswered(order, result.reason)
        is_settled = held.is_settled or result.is_settled
        has_failed = result.is_stripes and tries >= FAILURES_BEFORE_LOOKING
        return _Held(order, held.looks_up or is_settled or has_failed, is_settled, tries)

    def _call_off(self, order: ReversalOrder) -> None:
        """What was sent before stays `sending`: it must be followed up when we go on."""
        if order.is_fresh:
            writing.give_back(order)

    def _stop(self, message: str) -> None:
        """Our key is not accepted: nobody's award or reversal will go through."""
        if not self._is_halted:
            self._is_halted = True
            logger.error("reversing: Stripe does not accept our key: %s", message)
            control.stop_for(f"Stripe does not accept our key: {message}")


def _stop_what_was_not_signed() -> None:
    """An approved request that is not what was signed waits for people."""
    approved = ReversalRequest.objects.filter(state=RequestState.APPROVED)
    for request in approved.order_by("id"):
        problem = "" if is_as_signed(request) else TAMPERED
        if problem != request.problem:
            ReversalRequest.objects.filter(pk=request.pk).update(problem=problem)


def _finish_requests() -> None:
    for request in claiming.unfinished().order_by("id"):
        with transaction.atomic():
            row = locked_request(request)
            if claiming.unfinished().filter(pk=row.pk).exists():
                move(row, RequestState.DONE, by=None, finished_at=timezone.now())
