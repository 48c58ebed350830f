"""Where the embedded services keep their state, as whom they run, and who may start them now."""

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# sun_path holds 108 bytes with the closing zero on Linux, 104 on macOS; the smaller serves both.
SOCKET_PATH_BYTES = 103
LONGEST_SOCKET_NAME = ".s.PGSQL.5432"
# What needs no quoting in a URL, in a server's option or on a command line.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
OUTSIDE = Path("/var/tmp")  # noqa: S108 - the directory made in it is checked for its owner
COMMAND_SECONDS = 120


class StartError(RuntimeError):
    """An embedded service cannot be started; the text says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The account the servers run as."""

    uid: int
    gid: int
    is_lent: bool
    """True when root lends a lesser account, as PostgreSQL refuses to run as root."""

    @classmethod
    def of_servers(cls) -> "Account":
        """The caller's own, or for root the first lesser one that the system has."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), is_lent=False)
        for name in ("nobody", "postgres", "daemon"):
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid, is_lent=True)
        raise StartError(
            "PostgreSQL does not run as root, and there is no account `nobody` to run it as. "
            "Run as an ordinary user, or set DATABASE_URL and BROKER_URL."
        )

    def reaches(self, path: Path) -> bool:
        """Whether the account may pass through every directory down to `path`."""
        if not self.is_lent:
            return True
        return all(self._passes(part) for part in (path, *path.parents) if part.is_dir())

    def _passes(self, directory: Path) -> bool:
        status = directory.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


@dataclass(frozen=True)
class Place:
    """The directories of one checkout's services.

    `state` is the checkout's own `.local/`, unless a server could not work there: root's lesser
    account cannot pass a directory above it, or the path is too long or too odd for a socket. Then
    it is a directory outside that is derived from the path, and `.local/elsewhere` leads there.
    """

    local: Path
    state: Path
    account: Account

    @classmethod
    def of(cls, root: Path) -> "Place":
        """The place of the checkout at `root`; looks, but writes nothing."""
        local = root.resolve() / ".local"
        account = Account.of_servers()
        longest = os.fsencode(local / "run" / LONGEST_SOCKET_NAME)
        fits = len(longest) <= SOCKET_PATH_BYTES and PLAIN_PATH.fullmatch(str(local))
        if fits and account.reaches(local):
            return cls(local, local, account)
        digest = hashlib.sha256(os.fsencode(local)).hexdigest()[:16]
        return cls(local, OUTSIDE / f"amends-{os.geteuid()}-{digest}", account)

    @property
    def sockets(self) -> Path:
        return self.state / "run"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def is_ours(self) -> bool:
        """Whether `state` is this checkout's, and not left over from one removed since."""
        if self.state == self.local:
            return True
        link = self.local / "elsewhere"
        return link.is_symlink() and link.readlink() == self.state

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the checkout's services alone; others who start or stop them wait."""
        try:
            self.local.mkdir(exist_ok=True)
            if self.account.is_lent and self.state == self.local:
                self.local.chmod(0o755)
            file = (self.local / "lock").open("w")
        except OSError as error:
            raise StartError(
                f"Cannot write to {self.local}: {error.strerror}. If another user made it, run as "
                "that user or remove it; or set DATABASE_URL and BROKER_URL."
            ) from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def check_owner(self) -> None:
        """Raise StartError when another user made the directory outside before us."""
        status = self.state.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise StartError(f"{self.state} is not ours. Remove it, or set DATABASE_URL.")

    def prepare(self) -> None:
        """Make the directories that are missing, each for the servers' account only."""
        if self.state != self.local:
            self.state.mkdir(mode=0o700, exist_ok=True)
            self.check_owner()
            self.state.chmod(0o711 if self.account.is_lent else 0o700)
            if not self.is_ours:
                link = self.local / "elsewhere"
                link.unlink(missing_ok=True)
                link.symlink_to(self.state)
        for directory in (self.sockets, self.logs):
            self.make_private(directory)

    def make_private(self, directory: Path) -> None:
        """Make a directory that only the servers' account (and root) may enter."""
        directory.mkdir(mode=0o700, exist_ok=True)
        if self.account.is_lent:
            os.chown(directory, self.account.uid, self.account.gid)

    def remove(self) -> None:
        shutil.rmtree(self.state)

    def run(self, command: Sequence[str | Path], stdin: str = "") -> str:
        """Run a short command as the servers' account; its output, or StartError with it.

        The output goes through a file: a server that the command leaves behind may keep its
        outputs open, and reading a pipe would then never end.
        """
        identity = (
            {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
            if self.account.is_lent
            else {}
        )
        log = self.state / "command.log"
        try:
            with log.open("w+b") as output:
                code = subprocess.run(  # noqa: S603 - our own binaries and paths
                    command,
                    input=stdin.encode(),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.sockets,
                    env={"PATH": os.defpath, "LC_ALL": "C"},
                    start_new_session=True,
                    timeout=COMMAND_SECONDS,
                    check=False,
                    **identity,  # type: ignore[call-overload]
                ).returncode
        except (OSError, subprocess.SubprocessError) as error:
            raise StartError(f"{Path(command[0]).name} did not run: {error}") from error
        text = log.read_text(errors="replace").strip()
        if code:
            raise StartError(f"{Path(command[0]).name} failed:\n{text}")
        return text


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a server's log, for an error message; empty when there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
