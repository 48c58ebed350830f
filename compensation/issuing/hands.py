"""The orders in an issuer's hands: each has a call under way, or waits for its next one."""

import heapq
import itertools
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from compensation.issuing.orders import Order
from compensation.issuing.sending import Result, Sender
from compensation.stripe_calls import Unknown

logger = logging.getLogger(__name__)

# Results are awaited this long, then gathered a little, so that they are written in chunks: a chunk
# costs the processor about the same whatever is in it.
WAIT_SECONDS = 0.25
GATHER_SECONDS = 0.25


@dataclass(slots=True)
class Held:
    """An order, whether it is looked up rather than sent, and how often it went unanswered.

    `is_settled`: Stripe has kept an answer under its key, so no call under it can be at work there.
    """

    order: Order
    looks_up: bool = False
    is_settled: bool = False
    tries: int = 0


class Hands:
    """Used by the issuer's thread alone; only the calls run on the pool's threads."""

    def __init__(self, sender: Sender, *, threads: int) -> None:
        self._sender = sender
        self._held: dict[int, Held] = {}
        self._later: list[tuple[float, int, int]] = []
        self._serial = itertools.count()
        self._results: SimpleQueue[tuple[Order, Result]] = SimpleQueue()
        self._pool = ThreadPoolExecutor(threads, "stripe")

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, award: int) -> Held:
        return self._held[award]

    def sources(self) -> set[int | None]:
        """The batches they are of; None is goodwill given at once."""
        return {held.order.batch for held in self._held.values()}

    def take(self, order: Order, *, looks_up: bool = False) -> None:
        """Take an order in hand and make its call as soon as it is its turn."""
        self._held[order.award] = Held(order, looks_up)
        self.call(order.award)

    def call(self, award: int) -> None:
        """Make the call of an order in hand (again)."""
        held = self._held[award]
        self._pool.submit(self._work, held.order, held.looks_up)

    def call_later(self, award: int, *, pause_seconds: float) -> None:
        due = time.monotonic() + pause_seconds
        heapq.heappush(self._later, (due, next(self._serial), award))

    def call_due(self) -> None:
        """Make the calls that have waited out their pause."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self.call(heapq.heappop(self._later)[2])

    def let_go(self, award: int) -> None:
        del self._held[award]

    def let_waiting_go(self) -> None:
        """What waits for its next call is left, as `sending`, to the next issuer."""
        while self._later:
            self.let_go(self._later.pop()[2])

    def results(self) -> list[tuple[Order, Result]]:
        """What came back lately; waits a moment for the first."""
        if not self._held:
            return []
        try:
            got = [self._results.get(timeout=WAIT_SECONDS)]
        except Empty:
            return []
        until = time.monotonic() + GATHER_SECONDS
        while len(got) < len(self._held):
            try:
                got.append(self._results.get(timeout=max(until - time.monotonic(), 0)))
            except Empty:
                break
        return got

    def close(self) -> None:
        """Returns when no call is under way any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, order: Order, looks_up: bool) -> None:  # noqa: FBT001 - the pool's call
        """On a thread. Whatever happens, something comes back."""
        try:
            result = self._sender.look_up(order) if looks_up else self._sender.send(order)
        except Exception as error:  # the award must not be lost for a fault of ours
            logger.exception(
                "issuing: a call failed", extra={"award_id": order.award, "batch_id": order.batch}
            )
            result = Unknown(f"{type(error).__name__}: {error}")
        self._results.put((order, result))
