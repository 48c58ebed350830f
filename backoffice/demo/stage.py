"""What the story is played on: a database of its own, ports, and the environment of its parts."""

import fcntl
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg import sql

from backoffice import embedded
from backoffice.demo.processes import free_port

PLACE = settings.LOCAL_DIR / "demo"
DATABASE = "amends_demo"
ON_STAGE = "AMENDS_DEMO"

# Between the demo's own sandbox and its own door, on loopback.
WEBHOOK_SECRET = "whsec_sandbox"  # noqa: S105 - opens nothing else


@dataclass(frozen=True)
class Stage:
    """Where everything of this demo is found, kept in the environment across the re-start."""

    database_url: str
    broker_url: str
    web_port: int
    sandbox_port: int

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    def environment(self) -> dict[str, str]:
        """The settings of every process of the demo."""
        return {
            ON_STAGE: json.dumps(self.__dict__),
            "AMENDS_ENVIRONMENT": "local",
            "DATABASE_URL": self.database_url,
            "BROKER_URL": self.broker_url,
            "STRIPE_API_KEY": "",
            "STRIPE_API_BASE": self.sandbox_url,
            "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
            "PUBLIC_URL": self.web_url,
            "EMAIL_URL": f"filemail:///{PLACE / 'mail'}",
            "PORTAL_LINK_SECONDS": "86400",
        }


def current() -> Stage | None:
    """The stage this process was started on, if it was."""
    kept = os.environ.get(ON_STAGE)
    return Stage(**json.loads(kept)) if kept else None


class StageTakenError(Exception):
    """Another demo of this checkout is being played."""


def build() -> Stage:
    """An empty database and free ports; what an earlier, killed demo left running is ended.

    Raises:
        StageTakenError: a demo is running, which this one would pull the floor from under.
    """
    PLACE.mkdir(parents=True, exist_ok=True)
    _take_lock()
    end_leftovers()
    services = embedded.start(settings.BASE_DIR)
    return Stage(
        database_url=_empty_database(services.database_url),
        broker_url=services.broker_url,
        web_port=free_port(8000),
        sandbox_port=free_port(12111),
    )


def _take_lock() -> None:
    """Held until this process ends, and by the one it becomes."""
    descriptor = os.open(PLACE / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StageTakenError(
            "A demo is running in this checkout: end it with Ctrl-C first."
        ) from None
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - its only parameter


def _empty_database(server_url: str) -> str:
    """The demo's own database on that server, made anew: what is in the other ones stays."""
    name = sql.Identifier(DATABASE)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    parts = urlsplit(server_url)
    return urlunsplit(parts._replace(path=f"/{DATABASE}"))


def remember(pids: list[int]) -> None:
    """Note what was started, for `end_leftovers` of the next demo."""
    (PLACE / "pids").write_text("\n".join(map(str, pids)), encoding="utf-8")


def end_leftovers() -> None:
    """End what a demo that was killed with -9 left running, and nothing else."""
    kept = PLACE / "pids"
    if not kept.is_file():
        return
    for pid in map(int, kept.read_text(encoding="utf-8").split()):
        if _is_part_of_a_demo(pid):
            os.killpg(pid, signal.SIGKILL)
    kept.unlink()


def _is_part_of_a_demo(pid: int) -> bool:
    """A process id may belong to somebody else by now: its command line tells."""
    try:
        command = subprocess.run(  # noqa: S603
            ["ps", "-o", "command=", "-p", str(pid)],  # noqa: S607
            capture_output=True, text=True, check=False,
        ).stdout  # fmt: skip
    except FileNotFoundError:  # no ps: better a leftover than a stranger killed
        return False
    return "backoffice" in command and str(Path(settings.BASE_DIR)) in command + os.sep
