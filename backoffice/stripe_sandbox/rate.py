"""The rate limit: a token bucket in real time, whatever the sandbox's clock says."""

import time


class TokenBucket:
    """``rate`` requests a second; one second's worth may come at once. 0 means no limit."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.reset()

    def reset(self) -> None:
        self._tokens = max(self.rate, 1.0)
        self._filled_at = time.monotonic()

    def take(self) -> bool:
        """False when the request comes too early."""
        if not self.rate:
            return True
        now = time.monotonic()
        filled = self._tokens + (now - self._filled_at) * self.rate
        self._tokens, self._filled_at = min(filled, max(self.rate, 1.0)), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
