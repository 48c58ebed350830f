"""Not more calls a second than Stripe allows."""

import threading
import time
from collections.abc import Callable

# What may come at once after a pause, in seconds' worth of calls.
BURST_SECONDS = 0.1
SLOWEST = 1.0
# Back from half to the full rate within this time, if nothing more is refused.
RECOVERY_SECONDS = 20.0
# Refusals that come together count once: they were all under way at the same time.
DEAF_SECONDS = 1.0


class TokenBucket:
    """Hands out times to call at, evenly, at `rate` a second; for any number of threads."""

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.full_rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = clock()
        self._slowed_rate = rate
        self._slowed_at = clock() - RECOVERY_SECONDS

    def take(self, tokens: int = 1) -> None:
        """Return when it is this thread's turn to make `tokens` calls."""
        with self._lock:
            now = self._clock()
            start = max(self._next, now - BURST_SECONDS)
            self._next = start + tokens / self._rate(now)
        if start > now:
            self._sleep(start - now)

    def slow_down(self) -> None:
        """Stripe was asked too often, or doesn't answer: half as fast, recovering by and by."""
        with self._lock:
            now = self._clock()
            if now - self._slowed_at < DEAF_SECONDS:
                return
            self._slowed_rate = max(self._rate(now) / 2, min(SLOWEST, self.full_rate))
            self._slowed_at = now

    @property
    def rate(self) -> float:
        """Calls a second at this moment."""
        with self._lock:
            return self._rate(self._clock())

    def _rate(self, now: float) -> float:
        recovered = self.full_rate * (now - self._slowed_at) / (2 * RECOVERY_SECONDS)
        return min(self.full_rate, self._slowed_rate + recovered)
