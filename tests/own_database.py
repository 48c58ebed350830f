"""A migrated database of a program's own, for as long as it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connections


@contextmanager
def own_database(name: str) -> Iterator[None]:
    """Django is connected to a new, empty database `name`; what was left of one goes first."""
    home = str(settings.DATABASES["default"]["NAME"])
    _connect_to("postgres")
    _drop(name)
    _execute(f"CREATE DATABASE {name} TEMPLATE template0")
    _connect_to(name)
    try:
        call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        _connect_to("postgres")
        _drop(name)
        _connect_to(home)


def _drop(name: str) -> None:
    _execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _connect_to(name: str) -> None:
    connection = connections["default"]
    connection.close()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


def _execute(statement: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement)
