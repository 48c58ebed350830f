"""Our queue page, search and ticket page beside django-helpdesk's, on the same 200,000 tickets.

Both run on the same PostgreSQL server, Django and driver, in process through their middleware,
DEBUG off and warm, for somebody who sees every ticket. A page of theirs is what its reader waits
for: the page and the rows that its script asks for. Our caches are emptied every fifth time.

Not the same: theirs has no priority score, deadlines by business hours or tags, and queues are
open to all of its staff unless set otherwise. Its search is `ILIKE` over tickets, not over their
messages, and finds parts of words; ours finds forms of a word in three languages. Drawing rows in
the browser, as theirs does, is not counted, nor are static files. The bar holds for each page.
Where it cannot be installed, ours stands beside the fixed bar.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from support.models import Ticket
from tests.bench._desk import FREQUENT, RARE, make_desk
from tests.bench._helpdesk.copying import copy_tickets
from tests.bench._helpdesk.installing import VERSION, InstallError, install
from tests.bench.queue_page import ADDRESS, BAR_MS, measure
from tests.bench.result import Result
from tests.bench.ticket_page import MESSAGES, make_long_ticket

TICKETS = 200_000
DATABASE = "bench_helpdesk"
WORDS = {"frequent": FREQUENT, "rare": RARE}


def run(scale: float) -> Result:
    desk = make_desk(max(int(TICKETS * scale), 2000))
    ticket = make_long_ticket(desk)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    ours = _measure_ours(desk, ticket)
    try:
        python = install()
    except InstallError as error:
        return Result(
            ours["queue"][1], BAR_MS, 1, unit="ms",
            notes=f"not compared, django-helpdesk {VERSION} cannot be installed here: {error}; "
            f"the reference is the queue page's fixed bar; p50/p95 ms: {_told(ours)}",
        )  # fmt: skip
    theirs = _measure_theirs(python, desk, ticket)
    return Result(
        ours["queue"][1], theirs["queue"][1], 1, unit="ms",
        others_hold=all(p95 <= theirs[page][1] for page, (_p50, p95) in ours.items()),
        notes=f"p95 of the queue page, 50 rows, of {Ticket.objects.count()} tickets; "
        f"p50/p95 ms of Amends: {_told(ours)}; of django-helpdesk {VERSION}: {_told(theirs)}",
    )  # fmt: skip


def _measure_ours(desk: dict[str, Any], ticket: Ticket) -> dict[str, tuple[float, float]]:
    pages = {
        "queue": "",
        **{f"search, {name}": f"?q={word}" for name, word in WORDS.items()},
        "ticket": f"{ticket.pk}/change/",
    }
    times = {name: measure(desk["lead"], f"{ADDRESS}{page}") for name, page in pages.items()}
    return {name: (each.p50, each.p95) for name, each in times.items()}


def _measure_theirs(
    python: Path, desk: dict[str, Any], ticket: Ticket
) -> dict[str, tuple[float, float]]:
    people = type(desk["lead"]).objects.values_list("pk", flat=True)
    queues = [(queue.pk, queue.name, queue.slug) for queue in desk["queues"]]
    with _database() as database:
        _child(python, database, "prepare", {"queues": queues, "people": list(people)})
        copy_tickets(connection, database)
        told = _child(
            python, database, "measure",
            {"person": desk["lead"].pk, "ticket": ticket.pk, "words": WORDS,
             "last_words": f"Message {MESSAGES - 2}."},
        )  # fmt: skip
    cuts = {name: quantiles(page["times"], n=20, method="inclusive") for name, page in told.items()}
    return {name: (cut[9], cut[18]) for name, cut in cuts.items()}


@contextmanager
def _database() -> Iterator[BaseDatabaseWrapper]:
    """A database of its own beside ours, dropped in the end."""
    theirs = connection.copy()
    theirs.settings_dict["NAME"] = DATABASE
    drop = f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"
    with connection.cursor() as cursor:
        cursor.execute(drop)
        cursor.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
    try:
        yield theirs
    finally:
        theirs.close()
        with connection.cursor() as cursor:
            cursor.execute(drop)


def _child(
    python: Path, database: BaseDatabaseWrapper, command: str, asked: dict[str, Any]
) -> dict[str, Any]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.bench._helpdesk.settings",
        "BENCH_HELPDESK_DATABASE": json.dumps(database.settings_dict),
    }
    done = subprocess.run(  # noqa: S603 - our own module and arguments
        [str(python), "-m", "tests.bench._helpdesk", command],
        cwd=settings.BASE_DIR, env=environment, input=json.dumps(asked), text=True,
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _told(pages: dict[str, tuple[float, float]]) -> str:
    return ", ".join(f"{name} {p50:.0f}/{p95:.0f}" for name, (p50, p95) in pages.items())
