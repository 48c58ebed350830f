"""The sandbox's own clock: real time plus an offset that can be moved forward."""

import time


class Clock:
    """Unix seconds. Moved by the control doors; the offset is kept with the state."""

    def __init__(self, offset_seconds: int = 0) -> None:
        self.offset_seconds = offset_seconds

    def now(self) -> int:
        return int(time.time()) + self.offset_seconds
