"""Celery workers in processes of their own, on the test's database, with a queue of their own."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from backoffice import embedded

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS = 30.0


def database_url() -> str:
    """The address of the running test's database, for another process."""
    given = os.environ.get("DATABASE_URL") or embedded.database_url(PROJECT)
    name = quote(connection.settings_dict["NAME"], safe="")
    return urlunsplit(urlsplit(given)._replace(path=f"/{name}"))


class WorkerProcess:
    """One worker with one child, as production runs it, that `kill` ends as a power cut would.

    `environment` adds to what it inherits; the sandbox's address is there already when the
    fixture is used. Tasks go to a queue that no other worker reads.
    """

    def __init__(
        self, *, log: Path, environment: Mapping[str, str] | None = None, queue: str = ""
    ) -> None:
        """Workers that share a queue are given its name."""
        self.queue = queue or f"test-{uuid.uuid4().hex}"
        self.log = log
        self._environment = {
            **os.environ,
            "AMENDS_ENVIRONMENT": "local",
            "DATABASE_URL": database_url(),
            "BROKER_URL": settings.BROKER_URL,
            "CELERY_QUEUE": self.queue,
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Returns when it is ready to take tasks."""
        size = self.log.stat().st_size if self.log.exists() else 0
        self.spawn()
        wait_until(lambda: b" ready." in self.log.read_bytes()[size:], START_SECONDS)
        return self

    def spawn(self) -> None:
        """Start it, and don't wait."""
        command = [sys.executable, "-m", "celery", "-A", "backoffice.celery", "worker"]
        command += ["-c", "1", "-n", f"{uuid.uuid4().hex}@test", "--loglevel", "INFO"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module and arguments
                command,
                cwd=PROJECT,
                env=self._environment,
                stdout=log,
                stderr=log,
                # a group of its own: killed together with its children
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send(self, task: str) -> None:
        """Put a task into this worker's queue."""
        from backoffice.celery import app

        app.send_task(task, queue=self.queue)

    def child(self) -> int:
        """The process id of the child that does the work."""
        parent = self._process.pid if self._process else 0
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        return int(children.split()[0])

    def kill(self) -> None:
        """SIGKILL to the worker and its children."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Leave nothing of the queue in the broker."""
        from backoffice.celery import app

        with app.connection_for_write() as line:
            line.default_channel.queue_delete(self.queue)  # type: ignore[attr-defined]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.forget()


def wait_until(condition: Callable[[], bool], seconds: float, *, every: float = 0.05) -> None:
    """Raises TimeoutError when `condition`, asked each `every` seconds, doesn't come true."""
    ends_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_at:
            raise TimeoutError(f"Not within {seconds:.0f} s.")
        time.sleep(every)
