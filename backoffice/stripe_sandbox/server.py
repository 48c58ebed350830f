"""The process: one event loop, one thread, one SQLite file."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from backoffice.stripe_sandbox.api import Api
from backoffice.stripe_sandbox.app import build
from backoffice.stripe_sandbox.clock import Clock
from backoffice.stripe_sandbox.faults import Faults
from backoffice.stripe_sandbox.lines import Lines
from backoffice.stripe_sandbox.rate import TokenBucket
from backoffice.stripe_sandbox.store import Store
from backoffice.stripe_sandbox.webhooks import Target, Webhooks
from backoffice.stripe_sandbox.world import World

KEEP_ALIVE_SECONDS = 75


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    state: Path
    host: str = "127.0.0.1"
    port: int = 0
    rate: float = 100.0
    delay_ms: int = 0
    webhooks: Target = field(default_factory=Target)
    accepted_keys: frozenset[str] = frozenset()
    ends_with_parent: bool = False


class SandboxServer(uvicorn.Server):
    """Says where it listens when it does, and ends with status 0 when told to stop."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup()
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        print(f"Stripe sandbox at http://{host}:{port}", flush=True)  # noqa: T201 - the ready line

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


def run(options: Options) -> None:
    """Serve until told to stop."""
    asyncio.run(_serve(options))


async def _serve(options: Options) -> None:
    options.state.parent.mkdir(parents=True, exist_ok=True)
    store = Store(options.state)
    world = World(store, Clock(store.number("clock_offset")))
    faults = Faults()
    webhooks = Webhooks(world, faults, options.webhooks)
    api = Api(
        world,
        faults,
        TokenBucket(options.rate),
        webhooks,
        delay_ms=options.delay_ms,
        accepted_keys=options.accepted_keys,
    )
    lines = Lines()
    config = uvicorn.Config(
        build(api, lines, options.webhooks),
        host=options.host,
        port=options.port,
        http=lines.protocol(),
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    server = SandboxServer(config)
    tasks = [asyncio.create_task(webhooks.run())]
    if options.ends_with_parent:
        tasks.append(asyncio.create_task(_stop_without_parent(server)))
    try:
        await server.serve()
    finally:
        for task in tasks:
            task.cancel()
        api.keep_counts()
        store.close()


async def _stop_without_parent(server: SandboxServer) -> None:
    """A parent that was killed can't stop its child: the child sees that it has another parent."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing announces the change
        await asyncio.sleep(1)
    server.should_exit = True
