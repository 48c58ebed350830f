"""django-helpdesk in a virtual environment of its own, by uv or by pip; kept for the next run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import django
import psycopg
from django.conf import settings

VERSION = "2.6.1"
MOST_SECONDS = 240


class InstallError(Exception):
    """It cannot be had here: no network, or no build of it for this Python."""


def install() -> Path:
    """The Python that has django-helpdesk, with the same Django and driver as Amends'.

    Raises:
        InstallError: neither uv nor pip could install it.
    """
    wanted = [
        f"django-helpdesk=={VERSION}",
        f"django=={django.get_version()}",
        f"psycopg[binary]=={psycopg.__version__}",
    ]
    home = Path(settings.BASE_DIR) / ".local" / "bench" / f"helpdesk-{VERSION}"
    python, mark = home / "bin" / "python", home / "installed.txt"
    if mark.exists() and mark.read_text() == "\n".join(wanted):
        return python
    failures = []
    for commands in _ways(home, python, wanted):
        shutil.rmtree(home, ignore_errors=True)
        try:
            for command in commands:
                _run(command)
        except InstallError as error:
            failures.append(str(error))
            continue
        mark.write_text("\n".join(wanted))
        return python
    shutil.rmtree(home, ignore_errors=True)
    raise InstallError("; ".join(failures))


def _ways(home: Path, python: Path, wanted: list[str]) -> list[list[list[str]]]:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    ways = [[[sys.executable, "-m", "venv", str(home)], [*pip, *wanted]]]
    if uv := shutil.which("uv"):
        ways.insert(0, [
            [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(home)],
            [uv, "pip", "install", "--quiet", "--python", str(python), *wanted],
        ])  # fmt: skip
    return ways


def _run(command: list[str]) -> None:
    name = Path(command[0]).name
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    try:
        subprocess.run(  # noqa: S603 - our own arguments
            command, check=True, capture_output=True, text=True, timeout=MOST_SECONDS,
            env=environment,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        lines = [line.strip() for line in (error.stderr or error.stdout).splitlines()]
        told = next((line for line in lines if line.casefold().startswith("error")), "failed")
        raise InstallError(f"{name}: {told[:120]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"{name}: {type(error).__name__}") from error
