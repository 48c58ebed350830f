"""The worker processes of a storm: killed, started again, found by what they hold."""

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from django.db import connection
from kombu import Connection
from kombu.exceptions import OperationalError

from backoffice.celery import app
from compensation.issuing.lock import IssuerLock
from tests.worker import WorkerProcess, database_url, wait_until

TASK = "compensation.tasks.issue_awards"
NAME = "chaos-"
# Beat asks every ten seconds; here it is twice a second, so that no run waits for it. A message
# that nobody took is worth nothing a moment later: the next one is on its way.
WAKING_SECONDS = 0.5
EXPIRES_SECONDS = 2


class Workers:
    """Some workers with one queue, on the database that the caller is connected to.

    Each names itself to PostgreSQL, so that its sessions can be told from the caller's.
    """

    def __init__(
        self, count: int, *, broker_url: str, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.kills = 0
        self._broker_url = broker_url
        self._queue = f"chaos-{uuid.uuid4().hex}"
        self._woken_at = 0.0
        self._all = {
            name: WorkerProcess(
                log=folder / f"{name}.log",
                queue=self._queue,
                environment={
                    **environment,
                    "BROKER_URL": broker_url,
                    "DATABASE_URL": _named(database_url(), name),
                },
            )
            for name in (f"{NAME}{n}" for n in range(count))
        }

    def __enter__(self) -> Self:
        self.keep_up()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all.values():
            worker.kill()

    def keep_up(self) -> None:
        """Start those that are gone; and send what beat would send."""
        for worker in self._all.values():
            if not worker.is_running:
                worker.spawn()
        if time.monotonic() >= self._woken_at + WAKING_SECONDS:
            self._woken_at = time.monotonic()
            self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError, OperationalError), Connection(self._broker_url) as line:
            app.send_task(
                TASK, queue=self._queue, connection=line, expires=EXPIRES_SECONDS, retry=False
            )

    def issuer(self) -> str | None:
        """The name of the worker that holds the issuer's lock, if one does."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
                " AND (classid::bigint << 32 | objid::bigint) = %s"
                " AND datname = current_database()",
                [IssuerLock.KEY],
            )
            found = cursor.fetchone()
        return str(found[0]) if found else None

    def kill(self, how: str) -> str:
        """SIGKILL the issuer, only its child at work, or another worker; who it was."""
        issuer = self.issuer()
        others = [name for name in self._all if name != issuer]
        name = others[0] if how == "other" or issuer is None else issuer
        worker = self._all[name]
        if how == "child" and worker.is_running:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError, IndexError):
                os.kill(worker.child(), signal.SIGKILL)
        else:
            worker.kill()
        self.kills += 1
        return name

    def kill_all(self) -> None:
        """And wait until PostgreSQL has seen them go."""
        for worker in self._all.values():
            self.kills += worker.is_running
            worker.kill()
        wait_until(lambda: not self.cut("all"), 10)

    def cut(self, what: str) -> int:
        """Terminate sessions: the lock's own (lock), all of the issuer, or of all workers."""
        issuer = self.issuer() or ""
        conditions = {
            "all": "TRUE",
            "issuer": "application_name = %(issuer)s",
            "lock": "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND (classid::bigint << 32 | objid::bigint) = %(lock)s)",
        }
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # noqa: S608 - constants
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                f" AND application_name LIKE '{NAME}%%' AND {conditions[what]}",
                {"issuer": issuer, "lock": IssuerLock.KEY},
            )
            return int(cursor.rowcount)


def _named(url: str, name: str) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, f"application_name={name}") if part)
    return urlunsplit(parts._replace(query=query))
