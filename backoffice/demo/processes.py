"""The processes a running Amends is made of, each with its log under `.local/demo/`."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings


class ProcessError(Exception):
    """A part of the demo did not come up; the text says where its log is."""


def free_port(wanted: int) -> int:
    """`wanted` on loopback if nobody listens there, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ProcessError("No free port on 127.0.0.1.")


class Processes:
    """Starts them, and stops all it started, last first."""

    def __init__(self, logs: Path, environment: dict[str, str]) -> None:
        self.logs = logs
        self.environment = {**os.environ, **environment}
        self.running: list[tuple[str, subprocess.Popen[bytes]]] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, *command: str) -> None:
        """Start `python -m command…` in a session of its own, so that Ctrl-C reaches only us."""
        log = (self.logs / f"{name}.log").open("wb")
        with log:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", *command],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append((name, process))

    def wait_for(self, url: str, name: str, *, seconds: float = 120) -> None:
        """Return when `url` answers anything below 500.

        Raises:
            ProcessError: it did not within `seconds`, or its process has ended.
        """
        process = dict(self.running)[name]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError, urllib.error.URLError):
                try:
                    urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
                except urllib.error.HTTPError as answer:
                    if answer.code >= 500:  # noqa: PLR2004
                        time.sleep(0.1)
                        continue
                return
            time.sleep(0.1)
        raise ProcessError(f"The {name} did not start: see {self.logs / name}.log")

    @property
    def pids(self) -> list[int]:
        return [process.pid for _, process in self.running]

    def wait(self) -> None:
        """Until Ctrl-C; raises ProcessError when a part ends by itself."""
        while True:
            self.check()
            time.sleep(1)

    def check(self) -> None:
        """Raise ProcessError if one of them has ended by itself."""
        for name, process in self.running:
            if process.poll() is not None:
                raise ProcessError(f"The {name} has ended: see {self.logs / name}.log")

    def stop(self) -> None:
        """End them: politely, then after ten seconds by force."""
        for _, process in reversed(self.running):
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + 10
        for _, process in reversed(self.running):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
        self.running.clear()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the whole group: gunicorn and Celery have children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@contextlib.contextmanager
def stopped_at_end(processes: Processes) -> Iterator[Processes]:
    """Stops them however the block ends, also on SIGTERM."""

    def leave(*_: object) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield processes
    finally:
        signal.signal(signal.SIGTERM, before)
        processes.stop()
