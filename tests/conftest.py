"""What every test stands on: the services that no URL replaces, and compiled translations."""

from pathlib import Path

import pytest

from backoffice import catalogs, embedded

ROOT = Path(__file__).resolve().parents[1]

pytest_plugins = ["tests.stripe_sandbox_process"]


def pytest_configure() -> None:
    try:
        embedded.start(ROOT)
        catalogs.compile_catalogs(ROOT)
    except (embedded.StartError, catalogs.CatalogError) as error:
        pytest.exit(str(error), returncode=1)
