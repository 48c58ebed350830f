"""Checkouts of nothing: a directory is all that the embedded services ask for."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backoffice import embedded


@pytest.fixture(autouse=True)
def _without_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "BROKER_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every account can pass, with a short path; pytest's own has neither."""
    path = Path(tempfile.mkdtemp(prefix="amends-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def checkout(open_directory: Path) -> Iterator[Path]:
    root = open_directory / "checkout"
    root.mkdir()
    yield root
    embedded.remove(root)


@pytest.fixture
def distant_checkout(open_directory: Path) -> Iterator[Path]:
    """One whose path is too long for a socket."""
    root = open_directory / ("d" * 60) / ("e" * 60)
    root.mkdir(parents=True)
    yield root
    embedded.remove(root)
