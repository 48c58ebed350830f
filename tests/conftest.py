"""What every test stands on: the services that no URL replaces, and compiled translations."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models.signals import post_migrate
from hypothesis import settings as hypothesis_settings

from backoffice import catalogs, embedded

ROOT = Path(__file__).resolve().parents[1]

pytest_plugins = ["tests.stripe_sandbox_process"]
# No test fails because a machine was busy.
hypothesis_settings.register_profile("unhurried", deadline=None)
hypothesis_settings.load_profile("unhurried")


def pytest_configure() -> None:
    try:
        embedded.start(ROOT)
        catalogs.compile_catalogs(ROOT)
    except (embedded.StartError, catalogs.CatalogError) as error:
        pytest.exit(str(error), returncode=1)
    from tests.first_rows import put_back

    post_migrate.connect(put_back, sender=apps.get_app_config("support"))
    # A safe hash takes a third of a second, and most tests make people. What Django's documentation
    # recommends for tests.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if process := os.environ.get("PYTEST_XDIST_WORKER"):
        _take_a_redis_database(1 + int(process.removeprefix("gw")))


def _take_a_redis_database(number: int) -> None:
    """Each process of pytest-xdist has its own, as it has its own PostgreSQL database.

    A test that clears the cache would throw away the messages of another's worker.
    """
    broker = str(settings.BROKER_URL)
    if broker.startswith("redis+socket://"):
        cache = f"{broker.replace('redis+socket://', 'unix://', 1)}?db={number}"
        broker = f"{broker}?virtual_host={number}"
    else:
        broker = cache = urlsplit(broker)._replace(path=f"/{number}").geturl()
    settings.BROKER_URL = settings.CELERY_BROKER_URL = broker
    settings.CACHES["default"]["LOCATION"] = os.environ["CACHE_URL"] = cache
