"""Webhooks: events are sent to one endpoint, tried again with growing pauses, and logged.

Delivery is at least once and in no promised order, as Stripe's is. What was not finished when the
process ended is taken up again at the next start.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from backoffice.stripe_sandbox import posting
from backoffice.stripe_sandbox.faults import Faults, Kind
from backoffice.stripe_sandbox.world import World

PAUSES_SECONDS = (0.5, 2.0, 8.0, 30.0)
"""Between one attempt and the next; after the last the delivery counts as failed."""
AT_ONCE = 4
MOST_UNDER_WAY = 200
"""Deliveries that wait for their turn or their next attempt; further ones stay in the table."""
HELD_BACK_MS = 500
"""How long an event waits that a fault puts out of order, unless the rule says otherwise."""


@dataclass(frozen=True)
class Target:
    """Where events go; an empty address stops the sending."""

    url: str = ""
    secret: str = ""
    pauses_seconds: tuple[float, ...] = PAUSES_SECONDS


class Webhooks:
    """The one endpoint of the account, and the work of sending events to it."""

    def __init__(self, world: World, faults: Faults, target: Target) -> None:
        self._world = world
        self._faults = faults
        self._news = asyncio.Event()
        self._lines = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._newest_taken = 0
        self.point_to(target)

    def point_to(self, target: Target) -> None:
        """Send to this address from now on."""
        self.target = target
        self._world.sends_webhooks = bool(target.url)
        self.wake()

    def wake(self) -> None:
        """There may be something to send."""
        if self.target.url:
            self._news.set()

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            for seq, event, kind in self._untaken():
                self._newest_taken = seq
                self._start(seq, event, kind)
                if len(self._tasks) >= MOST_UNDER_WAY:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    def forget(self) -> None:
        """Drop what is under way; the log goes with the state."""
        for task in self._tasks:
            task.cancel()
        self._newest_taken = 0

    def log(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest deliveries first."""
        names = ("event", "type", "attempts", "status", "state", "note")
        rows = self._world.store.execute(
            "SELECT event, type, attempts, status, state, note FROM deliveries "
            "ORDER BY seq DESC LIMIT ?",
            (limit,),
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _untaken(self) -> list[tuple[int, str, str]]:
        return self._world.store.execute(
            "SELECT seq, event, type FROM deliveries WHERE state = 'pending' AND seq > ? "
            "ORDER BY seq",
            (self._newest_taken,),
        ).fetchall()

    def _start(self, seq: int, event: str, kind: str) -> None:
        unordered = self._faults.webhook(Kind.WEBHOOK_UNORDERED, kind)
        wait_ms = (unordered.delay_ms or HELD_BACK_MS) if unordered else 0
        times = 2 if self._faults.webhook(Kind.WEBHOOK_DUPLICATE, kind) else 1
        task = asyncio.create_task(self._deliver(seq, event, times, wait_ms / 1000))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, seq: int, event_id: str, times: int, wait_seconds: float) -> None:
        await asyncio.sleep(wait_seconds)
        event = self._world.store.find("events", event_id)
        if event is None:
            return
        payload = json.dumps(event, indent=2)
        for attempt, pause in enumerate((*self.target.pauses_seconds, None), start=1):
            status, note = await self._send(payload, times)
            delivered = status is not None and 200 <= status < 300  # noqa: PLR2004 - success
            state = "delivered" if delivered else "pending" if pause is not None else "failed"
            self._world.store.execute(
                "UPDATE deliveries SET attempts = ?, status = ?, state = ?, note = ? WHERE seq = ?",
                (attempt, status, state, note, seq),
            )
            if delivered:
                event["pending_webhooks"] = 0
                self._world.store.replace("events", event)
            if delivered or pause is None:
                return
            await asyncio.sleep(pause)

    async def _send(self, payload: str, times: int) -> tuple[int | None, str]:
        async with self._lines:
            for _ in range(times):
                status, note = await posting.post(self.target.url, payload, self.target.secret)
        return status, note
