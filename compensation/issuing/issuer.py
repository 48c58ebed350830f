"""The issuer: claims slices, keeps many calls under way, writes down what comes back."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.utils import timezone

from compensation import stripe_calls
from compensation.issuing import claiming, control, writing
from compensation.issuing.bucket import TokenBucket
from compensation.issuing.counting import add_calls
from compensation.issuing.hands import Hands
from compensation.issuing.lock import IssuerLock, LockLostError
from compensation.issuing.orders import Order
from compensation.issuing.priority import issue_priority
from compensation.issuing.sending import Absent, NotSent, Result, Sender, Unprovable
from compensation.issuing.telling import tell
from compensation.stripe_calls import Done, RateLimited, Rejected, Unauthorised, Unknown

logger = logging.getLogger(__name__)

SLICE = 200
# How often the lock, the switches and the batches' states are looked at, in seconds.
LOOK_SECONDS = 0.5
# After its time is over, an issuer takes back what has not been sent within this time.
CLOSING_SECONDS = 8.0
# Pauses before an unanswered order is sent again under the same key.
PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
# Stripe's own failures under one key, after which its list is asked.
FAILURES_BEFORE_LOOKING = 3
# Refusals in a row that say that it's not about the customers.
REFUSALS_BEFORE_PAUSING = 100


@dataclass
class Tally:
    """What a run did. `has_more`: its time was over before the work was."""

    issued: int = 0
    failed: int = 0
    unknown: int = 0
    has_more: bool = False


class Issuer:
    """One run of issuing, by the holder of `lock`, for about `seconds`.

    Memory is bounded: at most two slices are held, whatever a batch's size. The threads make
    calls only; all database work happens in the thread that calls `run`.
    """

    def __init__(self, lock: IssuerLock, *, seconds: float) -> None:
        self.tally = Tally()
        self._lock = lock
        self._ends_at = time.monotonic() + seconds
        self._claimed_to: dict[int | None, int] = {}
        self._refusals: dict[int | None, int] = {}
        self._halted: set[int | None] = set()
        self._is_halted = False
        self._is_closing = False
        self._looked_at = 0.0
        self._silence = 0
        self._outcomes: Counter[str] = Counter()
        self._bucket = TokenBucket(settings.STRIPE_CALLS_PER_SECOND)
        sender = Sender(stripe_calls.stripe_client(), self._bucket, self._is_called_off)
        self._hands = Hands(sender, threads=settings.STRIPE_CALLS_IN_FLIGHT)

    def run(self) -> Tally:
        """Issue until nothing is left to do, time is over, or the lock is lost."""
        try:
            control.recheck_batches()
            control.start_batches()
            is_idle = False
            self._recover()
            while self._hands or not (is_idle or self._is_closing):
                self._look()
                is_idle = self._is_closing or not self._fill()
                self._go_on()
            self.tally.has_more = self._is_closing and not claiming.is_stopped()
        finally:
            self._is_halted = True
            self._hands.close()
        control.finish_batches()
        return self.tally

    # --- looking -----------------------------------------------------------------------------

    def _is_called_off(self, order: Order) -> bool:
        """Asked on the threads, just before a call."""
        return self._is_halted or order.batch in self._halted

    def _look(self) -> None:
        now = time.monotonic()
        self._is_closing = self._is_closing or now >= self._ends_at
        self._is_halted = self._is_halted or now >= self._ends_at + CLOSING_SECONDS
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        self._check_lock()
        sources = self._hands.sources()
        if claiming.is_stopped():
            self._halted = sources
        else:
            self._halted = sources - {None, *claiming.issuing_batches()}

    def _check_lock(self) -> bool:
        """Whether we are still the one issuer; if not, close."""
        try:
            self._lock.check()
        except LockLostError:
            # What is under way finishes, and is written where it is still ours.
            logger.warning("issuing: the lock is lost, closing")
            self._is_closing = self._is_halted = True
        return not self._is_halted

    # --- taking in hand ----------------------------------------------------------------------

    def _fill(self) -> bool:
        """Claim the next slice when less than one is held; whether there may be more to do."""
        if len(self._hands) >= SLICE:
            return True
        for source in (None, *claiming.issuing_batches()):
            if source not in self._halted and self._claim(source):
                return True
        control.start_batches()
        control.finish_batches()
        return False

    def _claim(self, source: int | None) -> bool:
        if not self._check_lock():
            return False
        after = self._claimed_to.get(source, 0)
        favoured = issue_priority(source)
        self.tally.issued += favoured
        orders = claiming.claim(source, limit=SLICE, after=after)
        if not orders and after:
            # some may have been given back, or approved late
            orders = claiming.claim(source, limit=SLICE)
        if orders:
            self._claimed_to[source] = orders[-1].award
        for order in orders:
            self._hands.take(order, looks_up=not order.is_fresh)
        return bool(orders or favoured)

    def _recover(self) -> None:
        """Take up what an issuer before us left, a slice at a time."""
        if not self._check_lock():
            return
        for source in (None, *claiming.issuing_batches()):
            after = 0
            while found := claiming.recover(source, limit=SLICE, after=after):
                after = found[-1].award
                self._take_up(found)
                while len(self._hands) >= SLICE and not self._is_closing:
                    self._look()
                    self._go_on()
                if self._is_closing:
                    return

    def _take_up(self, found: Sequence[claiming.Recovered]) -> None:
        now = timezone.now()
        for each in found:
            if each.order is not None:
                self._hands.take(each.order, looks_up=not each.order.key_is_safe(now))
        self.tally.unknown += writing.write_unknown(
            [
                writing.Troubled(
                    each.award,
                    each.key,
                    "other_parameters",
                    "It was sent with other parameters than it has now.",
                )
                for each in found
                if each.order is None
            ]
        )

    # --- what comes back ---------------------------------------------------------------------

    def _go_on(self) -> None:
        """Send again what waited long enough; write down what came back."""
        if self._is_closing:
            self._hands.let_waiting_go()
        self._hands.call_due()
        chunk = writing.Chunk()
        for order, result in self._hands.results():
            self._outcomes[type(result).__name__.lower()] += 1
            self._judge(chunk, order, result)
        self.tally.issued += writing.write_issued(chunk.issued)
        self.tally.failed += writing.write_failed(chunk.failed)
        self.tally.unknown += writing.write_unknown(chunk.unknown)
        writing.give_back(chunk.back)
        tell(chunk)
        add_calls(self._outcomes)

    def _judge(self, chunk: writing.Chunk, order: Order, result: Result) -> None:
        """Sort a result into what is written; unless it goes on, the award leaves our hands."""
        if not isinstance(result, Unknown):
            self._silence = 0
        if self._calls_again(order, result):
            return
        self._hands.let_go(order.award)
        match result:
            case Done(stripe_id, trial_end_before=before):
                chunk.issued.append(writing.Issued(order, stripe_id, before))
                self._refusals[order.batch] = 0
            case Rejected(code, message):
                chunk.failed.append(writing.Troubled(order.award, order.key, code, message))
                self._count_refusal(order.batch, message)
            case Unprovable(reason):
                trouble = writing.Troubled(order.award, order.key, "unprovable", reason)
                chunk.unknown.append(trouble)
            case Unauthorised(message):
                self._stop_all(f"Stripe does not accept our key: {message}")
        if isinstance(result, Unauthorised | NotSent) and order.is_fresh:
            # What was sent before stays `sending`: it must be followed up when we go on.
            chunk.back.append(order)

    def _calls_again(self, order: Order, result: Result) -> bool:
        """Whether the order needs another call, which is seen to here."""
        match result:
            case RateLimited():
                self._bucket.slow_down()
                self._hands.call(order.award)
            case Unknown():
                self._try_again(order, result)
            case Absent():
                return self._go_on_from_absence(order)
            case _:
                return False
        return True

    def _try_again(self, order: Order, result: Unknown) -> None:
        held = self._hands[order.award]
        held.order = replace(order, is_fresh=False)
        pause = PAUSES_SECONDS[min(held.tries, len(PAUSES_SECONDS) - 1)]
        held.tries += 1
        held.is_settled = held.is_settled or result.is_settled
        if held.is_settled or (result.is_stripes and held.tries >= FAILURES_BEFORE_LOOKING):
            held.looks_up = True
        self._silence += 1
        if self._silence % settings.STRIPE_CALLS_IN_FLIGHT == 0:
            # as many as can be under way, and none answered: don't press on
            self._bucket.slow_down()
        if held.tries > 1:
            writing.note_unanswered(order, result.reason)
        self._hands.call_later(order.award, pause_seconds=pause)

    def _go_on_from_absence(self, order: Order) -> bool:
        """Not in the list is not booked, unless a call under the key may still be at work."""
        held, now = self._hands[order.award], timezone.now()
        if held.is_settled or order.absence_is_proof(now):
            return self._send_anew(order)
        held.looks_up = not order.key_is_safe(now)
        self._hands.call_later(order.award, pause_seconds=PAUSES_SECONDS[-1])
        return True

    def _send_anew(self, order: Order) -> bool:
        """Under a new key, unless issuing is called off: then it stays `sending` under the old."""
        fresh = None if self._is_called_off(order) else claiming.reclaim(order)
        if fresh is not None:
            self._hands.take(fresh)
        return fresh is not None

    # --- when it's not about the award ---------------------------------------------------------

    def _count_refusal(self, source: int | None, message: str) -> None:
        self._refusals[source] = self._refusals.get(source, 0) + 1
        if self._refusals[source] >= REFUSALS_BEFORE_PAUSING:
            self._halt(source, f"{REFUSALS_BEFORE_PAUSING} refusals in a row, at last: {message}")

    def _stop_all(self, reason: str) -> None:
        """No call will go through, of whatever batch: stop everything until people look."""
        if self._is_halted:
            return
        self._is_halted = self._is_closing = True
        logger.error("issuing: %s", reason)
        control.stop_for(reason)

    def _halt(self, source: int | None, reason: str) -> None:
        """Send nothing more of this source, and tell people why. Goodwill has no batch to pause."""
        if source in self._halted:
            return
        self._halted.add(source)
        logger.error("issuing: %s", reason, extra={"batch_id": source})
        if source is None:
            control.stop_for(reason)
        else:
            control.pause_for(source, reason)
