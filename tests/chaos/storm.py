"""The storm itself: a batch is issued by real workers while what the plan says breaks."""

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from django.db import connection

from backoffice.embedded.places import Place
from backoffice.embedded.redis import Redis
from backoffice.stripe_sandbox.control import SandboxControl, SandboxProcess
from compensation.models import Award, Batch
from compensation.models.batch import BatchState
from tests.chaos import plan, world
from tests.chaos.counting import Count, count
from tests.chaos.workers import Workers
from tests.worker import wait_until

logger = logging.getLogger("chaos")

NIGHT_SECONDS = 25 * 3600
STRIPE_TIMEOUT_SECONDS = 2
ENVIRONMENT = {
    "STRIPE_API_KEY": "sk_test_sandbox",
    "STRIPE_CALLS_PER_SECOND": "100",
    "STRIPE_TIMEOUT_SECONDS": str(STRIPE_TIMEOUT_SECONDS),
}
ISSUER_SECONDS = 10.0


@dataclass(frozen=True)
class Options:
    """What a run is asked for; nothing else decides what will break, and when."""

    awards: int = 2_000
    kills: int = 20
    seed: int = 1
    workers: int = 3

    @property
    def patience_seconds(self) -> float:
        """Beyond this, what is not issued is lost."""
        return 120 + self.awards / 10 + 3 * self.kills


@dataclass(frozen=True)
class Outcome:
    """What is left when the storm is over."""

    counted: Count
    kills: int
    seconds: float

    @property
    def line(self) -> str:
        return self.counted.line(kills=self.kills, seconds=self.seconds)


def run(options: Options) -> Outcome:
    """Issue through the storm on the database that Django is connected to, which is empty."""
    started = time.monotonic()
    random = plan.dice(options.seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="amends-chaos-")))
        state = folder / "sandbox.sqlite3"
        process = stack.enter_context(SandboxProcess(state, arguments=("--rate", "120")))
        sandbox = SandboxControl(process.address)
        batch, owed = world.build(sandbox, awards=options.awards, random=random)
        redis = stack.enter_context(_redis())
        workers = stack.enter_context(
            Workers(
                options.workers,
                broker_url=redis.url,
                folder=folder,
                environment={**ENVIRONMENT, "STRIPE_API_BASE": process.address},
            )
        )
        storm = Storm(batch=batch, sandbox=sandbox, redis=redis, workers=workers)
        storm.rage(options, random)
        storm.recover(started + options.patience_seconds)
        kills = workers.kills
        workers.kill_all()
        counted = count(state, owed)
        if not counted.is_ok:
            _keep_logs(folder)
    return Outcome(counted, kills, time.monotonic() - started)


@dataclass
class Storm:
    """One run's players."""

    batch: Batch
    sandbox: SandboxControl
    redis: Redis
    workers: Workers

    def rage(self, options: Options, random: Random) -> None:
        """Let everything happen that the plan says, each at its time."""
        ends_at = time.monotonic() + options.patience_seconds
        self.sandbox.faults(*plan.faults(awards=options.awards, random=random))
        for event in plan.events(awards=options.awards, kills=options.kills, random=random):
            while self._through() < event.at and time.monotonic() < ends_at:
                self._wait(0.05)
            self._wait(event.pause_seconds)
            self._happen(event)

    def recover(self, ends_at: float) -> None:
        """The faults end; whatever is left is issued, or patience ends."""
        for rule in self.sandbox.faults():
            logger.info("fault %s fired %s times", rule["kind"], rule["fired"])
        self.sandbox.clear_faults()
        while not self._is_issued() and time.monotonic() < ends_at:
            self._wait(0.1)

    def _happen(self, event: plan.Event) -> None:
        match event.kind:
            case "kill":
                self._wait_for_an_issuer()
                told = self.workers.kill(event.how)
            case "cut":
                self._wait_for_an_issuer()
                told = f"{self.workers.cut(event.how)} sessions"
            case "restart":
                told = self._restart_redis()
            case _:
                told = self._let_a_night_pass()
        logger.info("at %5d of the batch: %s %s: %s", self._through(), event.kind, event.how, told)

    def _wait_for_an_issuer(self) -> None:
        """So that what breaks breaks in the middle of work."""
        ends_at = time.monotonic() + ISSUER_SECONDS
        while self.workers.issuer() is None and not self._is_issued():
            if time.monotonic() > ends_at:
                break
            self._wait(0.02)

    def _restart_redis(self) -> str:
        self.redis.stop()
        self._wait(0.3)
        self.redis.start()
        return "empty"

    def _let_a_night_pass(self) -> str:
        """Everything of ours is down for 25 hours, so both clocks move together.

        Stripe's is put forward; on our side the only thing that knows an hour is `first_sent_at`,
        which is put back by as much. What was under way at Stripe comes to its end before.
        """
        self.workers.kill_all()
        time.sleep(plan.SLOW_MS / 1000 + 0.5)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE compensation_award"
                " SET first_sent_at = first_sent_at - make_interval(secs => %s)"
                " WHERE batch_id = %s AND state IN ('approved', 'sending')"
                " AND first_sent_at IS NOT NULL",
                [NIGHT_SECONDS, self.batch.pk],
            )
            aged = cursor.rowcount
        self.sandbox.advance(NIGHT_SECONDS)
        return f"{aged} awards are left with keys that Stripe forgets"

    def _wait(self, seconds: float) -> None:
        """Workers that are gone are started again meanwhile."""
        ends_at = time.monotonic() + seconds
        while True:
            self.workers.keep_up()
            left = ends_at - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.05))

    def _through(self) -> int:
        ended = Award.objects.filter(batch=self.batch, state__in=["issued", "failed", "unknown"])
        return ended.count()

    def _is_issued(self) -> bool:
        return Batch.objects.filter(pk=self.batch.pk, state=BatchState.ISSUED).exists()


@contextmanager
def _redis() -> Iterator[Redis]:
    """A Redis of the run's own, which may be stopped."""
    root = Path(tempfile.mkdtemp(prefix="amends-chaos-redis-"))
    root.chmod(0o755)
    place = Place.of(root)
    with place.lock():
        place.prepare()
        redis = Redis(place)
        redis.start()
    try:
        yield redis
    finally:
        redis.stop()
        if place.state != place.local:
            place.remove()
        shutil.rmtree(root, ignore_errors=True)


def _keep_logs(folder: Path) -> None:
    """What the workers said, for whoever looks for the mistake."""
    kept = Path(tempfile.mkdtemp(prefix="amends-chaos-logs-"))
    for log in folder.glob("*.log"):
        shutil.copy(log, kept)
    logger.error("the workers' logs are in %s", kept)


__all__ = ["Options", "Outcome", "run", "wait_until"]
