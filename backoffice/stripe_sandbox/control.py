"""The other side of the control doors: start the sandbox, steer it, read its totals, stop it.

Standard library only; for the demo, the tests, the benchmarks and the chaos run.
"""

import json
import select
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0
STOP_SECONDS = 5.0
TIMEOUT_SECONDS = 120.0


class SandboxError(Exception):
    """The sandbox didn't start, or refused what it was told; the text is what it said."""


class SandboxControl:
    """Speaks to a running sandbox at ``address``, such as ``http://127.0.0.1:12111``."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def reset(self) -> None:
        """As new: nothing held, no faults, real time, limits as at the start."""
        self._call("POST", "reset", {})

    def advance(self, seconds: int) -> int:
        """Move the sandbox's clock forward; its new time in Unix seconds."""
        return int(self._call("POST", "clock", {"advance_seconds": seconds})["now"])

    def now(self) -> int:
        """The sandbox's time in Unix seconds."""
        return int(self._call("GET", "clock")["now"])

    def faults(self, *rules: dict[str, Any]) -> list[dict[str, Any]]:
        """Add rules (see faults.Rule); all in force, each with how often it ``fired``."""
        answer = self._call("POST", "faults", list(rules)) if rules else self._call("GET", "faults")
        return list(answer["rules"])

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def limits(self, *, rate: float | None = None, delay_ms: int | None = None) -> None:
        """Requests a second (0: no limit) and milliseconds that every answer takes."""
        given = {"rate": rate, "delay_ms": delay_ms}
        self._call("POST", "limits", {k: v for k, v in given.items() if v is not None})

    def totals(self, metadata_key: str | None = None) -> dict[str, Any]:
        """What the sandbox counted itself (see totals.totals); amounts in minor units."""
        query = f"?metadata_key={quote(metadata_key, safe='')}" if metadata_key else ""
        return dict(self._call("GET", f"totals{query}"))

    def seed(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Make many customers at once (see seeding); the ids of each, in order."""
        return list(self._call("POST", "seed", records)["data"])

    def bill(self, **what: Any) -> list[dict[str, Any]]:
        """Invoice ``subscription=`` or ``customer=`` (with ``amount=``, ``currency=``) now."""
        return list(self._call("POST", "bill", what)["data"])

    def send_webhooks_to(
        self, url: str, secret: str, pauses_seconds: tuple[float, ...] | None = None
    ) -> None:
        """Deliver events there from now on; an empty url stops it."""
        target: dict[str, Any] = {"url": url, "secret": secret}
        if pauses_seconds is not None:
            target["pauses_seconds"] = pauses_seconds
        self._call("POST", "webhooks", target)

    def deliveries(self) -> list[dict[str, Any]]:
        """The newest webhook deliveries first."""
        return list(self._call("GET", "webhooks")["deliveries"])

    def _call(self, method: str, door: str, content: Any = None) -> Any:
        parts = urlsplit(self.address)
        line = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            body = None if content is None else json.dumps(content)
            line.request(method, f"/_sandbox/{door}", body, {"Content-Type": "application/json"})
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        if answer.status != 200:  # noqa: PLR2004 - the one good status
            raise SandboxError(f"{method} {door}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text)


class SandboxProcess:
    """A sandbox in a process of its own, which keeps its state in the file ``state``.

    It ends with the process that started it, even if that one is killed.
    """

    def __init__(self, state: Path, *, port: int = 0, arguments: tuple[str, ...] = ()) -> None:
        """``arguments`` are further ones of the command line, such as ``("--rate", "25")``."""
        self.state = state
        self.port = port
        self.arguments = arguments
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The process id; raises SandboxError when none runs."""
        if self._process is None:
            raise SandboxError("The sandbox doesn't run.")
        return self._process.pid

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> SandboxControl:
        """Returns when it answers; a restart keeps the port. Raises SandboxError if it can't."""
        if self._process is not None:
            raise SandboxError("The sandbox runs already.")
        command = [sys.executable, "-m", "backoffice.stripe_sandbox", "--end-with-parent"]
        command += ["--port", str(self.port), "--state", str(self.state), *self.arguments]
        process = subprocess.Popen(  # noqa: S603 - our own module and arguments
            command, stdout=subprocess.PIPE, text=True, cwd=PROJECT
        )
        self._process = process
        if process.stdout is None:
            raise SandboxError("The sandbox has no output to read from.")
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if ready else ""
        if "http://" not in line:
            self.kill()
            raise SandboxError(f"The sandbox didn't start within {START_SECONDS:.0f} s: {line}")
        self.port = int(line.rstrip().rpartition(":")[2])
        return SandboxControl(self.address)

    def stop(self) -> int:
        """Ask it to end, and its exit status; killed when it doesn't within 5 seconds."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return self._gone()

    def kill(self) -> int:
        """End it at once, as a crash would (SIGKILL)."""
        if self._process is None:
            return 0
        self._process.kill()
        return self._gone()

    def _gone(self) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        status = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return status

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
