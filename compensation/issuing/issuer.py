"""The issuer: claims slices, keeps many calls under way, writes down what comes back."""

import heapq
import itertools
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

from django.conf import settings
from django.utils import timezone

from compensation import stripe_calls
from compensation.issuing import claiming, control, writing
from compensation.issuing.bucket import TokenBucket
from compensation.issuing.lock import IssuerLock, LockLostError
from compensation.issuing.orders import Order
from compensation.issuing.priority import issue_priority
from compensation.issuing.sending import Absent, NotSent, Result, Sender, Unprovable
from compensation.stripe_calls import Done, RateLimited, Rejected, Unauthorised, Unknown

logger = logging.getLogger(__name__)

SLICE = 200
# How often the lock, the switches and the batches' states are looked at, in seconds.
LOOK_SECONDS = 0.5
# Results are awaited this long, then gathered a little, so that they are written in chunks.
WAIT_SECONDS = 0.25
GATHER_SECONDS = 0.1
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


@dataclass(slots=True)
class _Held:
    """An order in this process's hands."""

    order: Order
    looks_up: bool = False
    tries: int = 0


@dataclass
class _Chunk:
    """Results that are written together."""

    issued: list[writing.Issued] = field(default_factory=list)
    failed: list[writing.Troubled] = field(default_factory=list)
    unknown: list[writing.Troubled] = field(default_factory=list)
    back: list[Order] = field(default_factory=list)


class Issuer:
    """One run of issuing, by the holder of `lock`, for about `seconds`.

    Memory is bounded: at most two slices are held, whatever a batch's size. The threads make
    calls only; all database work happens in the thread that calls `run`.
    """

    def __init__(self, lock: IssuerLock, *, seconds: float) -> None:
        self.tally = Tally()
        self._lock = lock
        self._ends_at = time.monotonic() + seconds
        self._held: dict[int, _Held] = {}
        self._results: SimpleQueue[tuple[Order, Result]] = SimpleQueue()
        self._later: list[tuple[float, int, int]] = []
        self._serial = itertools.count()
        self._claimed_to: dict[int | None, int] = {}
        self._refusals: dict[int | None, int] = {}
        self._halted: set[int | None] = set()
        self._is_halted = False
        self._is_closing = False
        self._looked_at = 0.0
        self._silence = 0
        self._sender = Sender(
            stripe_calls.stripe_client(),
            TokenBucket(settings.STRIPE_CALLS_PER_SECOND),
            self._is_called_off,
        )
        self._pool = ThreadPoolExecutor(settings.STRIPE_CALLS_IN_FLIGHT, "stripe")

    def run(self) -> Tally:
        """Issue until nothing is left to do, time is over, or the lock is lost."""
        try:
            control.recheck_batches()
            control.start_batches()
            is_idle = False
            self._recover()
            while self._held or not (is_idle or self._is_closing):
                self._look()
                is_idle = self._is_closing or not self._fill()
                self._send_again()
                self._collect()
            self.tally.has_more = self._is_closing
        finally:
            self._is_halted = True
            self._pool.shutdown(wait=True, cancel_futures=True)
        control.finish_batches()
        return self.tally

    # --- looking -----------------------------------------------------------------------------

    def _is_called_off(self, order: Order) -> bool:
        return self._is_halted or order.batch in self._halted

    def _look(self) -> None:
        now = time.monotonic()
        self._is_closing = self._is_closing or now >= self._ends_at
        self._is_halted = self._is_halted or now >= self._ends_at + CLOSING_SECONDS
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        self._check_lock()
        sources = {held.order.batch for held in self._held.values()}
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
        if len(self._held) >= SLICE:
            return True
        for source in (None, *claiming.issuing_batches()):
            if source in self._halted:
                continue
            if self._claim(source):
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
            self._hold(order)
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
                while len(self._held) >= SLICE and not self._is_closing:
                    self._look()
                    self._send_again()
                    self._collect()
                if self._is_closing:
                    return

    def _take_up(self, found: Sequence[claiming.Recovered]) -> None:
        now = timezone.now()
        odd = [each.award for each in found if each.order is None]
        for each in found:
            if each.order is not None:
                self._hold(each.order, looks_up=not each.order.key_is_safe(now))
        self.tally.unknown += writing.write_unknown(
            [
                writing.Troubled(
                    award, "other_parameters", "It was sent with other parameters than it has now."
                )
                for award in odd
            ]
        )

    def _hold(self, order: Order, *, looks_up: bool = False) -> None:
        held = _Held(order, looks_up)
        self._held[order.award] = held
        self._submit(held)

    # --- sending -----------------------------------------------------------------------------

    def _submit(self, held: _Held) -> None:
        self._pool.submit(self._work, held.order, held.looks_up)

    def _work(self, order: Order, looks_up: bool) -> None:  # noqa: FBT001 - the pool's call
        """On a thread. Whatever happens, something comes back."""
        try:
            result = self._sender.look_up(order) if looks_up else self._sender.send(order)
        except Exception as error:  # the award must not be lost for a fault of ours
            logger.exception("issuing: award %s", order.award)
            result = Unknown(f"{type(error).__name__}: {error}")
        self._results.put((order, result))

    def _send_again(self) -> None:
        """What waited out its pause; when closing, what waits is left to the next run."""
        now = time.monotonic()
        while self._later and (self._is_closing or self._later[0][0] <= now):
            _due, _serial, award = heapq.heappop(self._later)
            if self._is_closing:
                self._held.pop(award, None)
            elif award in self._held:
                self._submit(self._held[award])

    # --- writing -----------------------------------------------------------------------------

    def _collect(self) -> None:
        if not self._held:
            return
        try:
            got = [self._results.get(timeout=WAIT_SECONDS)]
        except Empty:
            return
        time.sleep(GATHER_SECONDS)
        while not self._results.empty():
            got.append(self._results.get_nowait())
        chunk = _Chunk()
        for order, result in got:
            self._judge(chunk, order, result)
        self.tally.issued += writing.write_issued(chunk.issued)
        self.tally.failed += writing.write_failed(chunk.failed)
        self.tally.unknown += writing.write_unknown(chunk.unknown)
        writing.give_back(chunk.back)

    def _judge(self, chunk: _Chunk, order: Order, result: Result) -> None:
        """Sort a result into what is written; unless it goes on, the award leaves our hands."""
        if self._goes_on(order, result):
            return
        del self._held[order.award]
        match result:
            case Done(stripe_id):
                chunk.issued.append(writing.Issued(order, stripe_id))
                self._refusals[order.batch] = 0
            case Rejected(code, message):
                chunk.failed.append(writing.Troubled(order.award, code, message))
                self._count_refusal(order.batch, message)
            case Unprovable(reason):
                chunk.unknown.append(writing.Troubled(order.award, "unprovable", reason))
            case Unauthorised(message):
                self._halt(order.batch, f"Stripe does not accept our key: {message}")
        if isinstance(result, Unauthorised | NotSent) and order.is_fresh:
            # What was sent before stays `sending`: it must be followed up when we go on.
            chunk.back.append(order)

    def _goes_on(self, order: Order, result: Result) -> bool:
        """Whether the order needs another call, which is seen to here."""
        if not isinstance(result, Unknown):
            self._silence = 0
        match result:
            case RateLimited():
                self._sender.bucket.slow_down()
                self._submit(self._held[order.award])
            case Unknown():
                self._try_again(order, result)
            case Absent():
                return self._send_anew(order)
            case _:
                return False
        return True

    def _try_again(self, order: Order, result: Unknown) -> None:
        held = self._held[order.award]
        held.order = replace(order, is_fresh=False)
        pause = PAUSES_SECONDS[min(held.tries, len(PAUSES_SECONDS) - 1)]
        held.tries += 1
        if result.is_settled or (result.is_stripes and held.tries >= FAILURES_BEFORE_LOOKING):
            held.looks_up = True
        self._silence += 1
        if self._silence % settings.STRIPE_CALLS_IN_FLIGHT == 0:
            # as many as can be under way, and none answered: don't press on
            self._sender.bucket.slow_down()
        if held.tries > 1:
            writing.note_unanswered(order, result.reason)
        heapq.heappush(self._later, (time.monotonic() + pause, next(self._serial), order.award))

    def _send_anew(self, order: Order) -> bool:
        """Under a new key, unless issuing is called off: then it stays `sending` under the old."""
        fresh = None if self._is_called_off(order) else claiming.reclaim(order)
        if fresh is not None:
            self._hold(fresh)
        return fresh is not None

    def _count_refusal(self, source: int | None, message: str) -> None:
        self._refusals[source] = self._refusals.get(source, 0) + 1
        if self._refusals[source] >= REFUSALS_BEFORE_PAUSING:
            self._halt(source, f"{REFUSALS_BEFORE_PAUSING} refusals in a row, at last: {message}")

    def _halt(self, source: int | None, reason: str) -> None:
        """Send nothing more of this source, and tell people why. Goodwill has no batch to pause."""
        if source in self._halted:
            return
        self._halted.add(source)
        logger.error("issuing: %s", reason)
        if source is None:
            control.stop_for(reason)
        else:
            control.pause_for(source, reason)
