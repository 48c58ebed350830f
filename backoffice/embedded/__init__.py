"""PostgreSQL and Redis of the checkout's own, for machines where nothing is set up.

Whatever `DATABASE_URL` and `BROKER_URL` don't name is started here, with its state under `.local/`.
The servers outlive the command that started them, so that the next one finds them warm;
`python -m backoffice.embedded stop` ends them. They listen on Unix sockets only, which none but
their owner can open. Not for production.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from backoffice.embedded.places import Place, StartError
from backoffice.embedded.postgresql import PostgreSQL
from backoffice.embedded.redis import Redis

__all__ = [
    "Services",
    "StartError",
    "Status",
    "broker_url",
    "database_url",
    "remove",
    "start",
    "status",
    "stop",
]


@dataclass(frozen=True)
class Services:
    """Where the two services are found, embedded or not."""

    database_url: str
    broker_url: str


@dataclass(frozen=True)
class Status:
    """How one embedded service is, for a person to read."""

    name: str
    is_running: bool
    url: str
    state: Path


def database_url(root: Path) -> str:
    """The address of the checkout's own PostgreSQL, running or not. Starts and writes nothing."""
    return PostgreSQL(Place.of(root)).url


def broker_url(root: Path) -> str:
    """The address of the checkout's own Redis, running or not. Starts and writes nothing."""
    return Redis(Place.of(root)).url


def start(root: Path) -> Services:
    """Start what the environment doesn't name and what doesn't run yet; a few ms when all runs.

    Processes that start at the same moment wait for each other. Raises StartError, whose text says
    what to do, when a server cannot be started.
    """
    database, broker = os.environ.get("DATABASE_URL"), os.environ.get("BROKER_URL")
    if not (database and broker):
        place = Place.of(root)
        missing: list[PostgreSQL | Redis] = []
        missing += [] if database else [PostgreSQL(place)]
        missing += [] if broker else [Redis(place)]
        if not (place.is_ours and all(server.answers() for server in missing)):
            _start(place, missing)
    return Services(database or database_url(root), broker or broker_url(root))


def _start(place: Place, servers: list[PostgreSQL | Redis]) -> None:
    with place.lock():
        _drop_leftovers(place)
        place.prepare()
        for server in servers:
            if not server.answers():
                server.start()


def stop(root: Path) -> None:
    """Stop what runs; connected clients are disconnected. The data stays."""
    place = Place.of(root)
    if place.local.exists():
        with place.lock():
            for server in (Redis(place), PostgreSQL(place)):
                server.stop()


def remove(root: Path) -> None:
    """Stop what runs and delete the data, wherever it lies."""
    stop(root)
    place = Place.of(root)
    if place.state.exists() and place.is_ours:
        place.remove()


def status(root: Path) -> list[Status]:
    """How each service is, whether or not the environment names another."""
    place = Place.of(root)
    return [
        Status(server.name, place.is_ours and server.answers(), server.url, place.state)
        for server in (PostgreSQL(place), Redis(place))
    ]


def _drop_leftovers(place: Place) -> None:
    """State outside a checkout outlives it: a new checkout at the same path must not inherit it."""
    if not place.is_ours and place.state.exists():
        place.check_owner()
        for server in (Redis(place), PostgreSQL(place)):
            server.stop()
        place.remove()
