"""Run the works: `python -m tests.bench [--size 0.05] [name …]`, one line each on stdout.

A work is a module of this package with `run(scale: float) -> Result`, where scale 1 is the size
its bar was set for. Each starts on an empty, migrated database `bench_amends` of its own.
"""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections

import tests.bench

DATABASE = "bench_amends"
EMPTY = "bench_amends_empty"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    modules = {
        found.name: module
        for found in pkgutil.iter_modules(tests.bench.__path__)
        if not found.name.startswith("_")
        and hasattr(module := importlib.import_module(f"tests.bench.{found.name}"), "run")
    }
    parser = argparse.ArgumentParser(prog="bench", description="Measure against the bars.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(modules)}")
    parser.add_argument("--size", type=float, default=1.0, help="a part of the full size")
    options = parser.parse_args()
    if unknown := set(options.names) - set(modules):
        parser.error(f"no such work: {', '.join(sorted(unknown))}; there are {', '.join(modules)}")
    with _databases():
        for name in options.names or modules:
            _copy_empty_database()
            result = modules[name].run(options.size)
            sys.stdout.write(result.line(name) + "\n")
            sys.stdout.flush()


@contextmanager
def _databases() -> Iterator[None]:
    """Make the empty database all works start from; take both away in the end."""
    home = str(settings.DATABASES["default"]["NAME"])
    _recreate(EMPTY)
    _connect_to(EMPTY)
    call_command("migrate", verbosity=0, interactive=False)
    try:
        yield
    finally:
        _connect_to(home)
        _execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        _execute(f"DROP DATABASE IF EXISTS {EMPTY} WITH (FORCE)")
        connections["default"].close()


def _copy_empty_database() -> None:
    _connect_to("postgres")
    _recreate(DATABASE, like=EMPTY)
    _connect_to(DATABASE)


def _recreate(name: str, like: str = "template0") -> None:
    _execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _execute(f"CREATE DATABASE {name} TEMPLATE {like}")


def _connect_to(name: str) -> None:
    connection = connections["default"]
    connection.close()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


def _execute(statement: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement)


if __name__ == "__main__":
    main()
