"""Runs in django-helpdesk's own environment: `python -m tests.bench._helpdesk prepare|measure`.

Takes one JSON object on stdin. `prepare` migrates and makes the queues and people under the ids
they have in Amends. `measure` asks for the pages and prints one JSON object: of each page the
milliseconds round by round, and how many tickets it found.
"""

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from html import unescape
from time import perf_counter
from typing import Any

import django
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

ROUNDS, FEWEST_ROUNDS, MOST_SECONDS = 40, 5, 6
LIST = "/tickets/"
# The address that the list's own script asks for its rows.
ROWS = re.compile(r'"url": "(/datatables_ticket_list/[^"]+)"')


def main() -> None:
    django.setup()
    asked = json.load(sys.stdin)
    told = {"prepare": prepare, "measure": measure}[sys.argv[1]](asked)
    sys.stdout.write(json.dumps(told))


def prepare(asked: dict[str, Any]) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    queue: Any = apps.all_models["helpdesk"]["queue"]
    queue.objects.bulk_create(
        queue(pk=pk, title=name, slug=slug) for pk, name, slug in asked["queues"]
    )
    person: Any = get_user_model()
    for pk in asked["people"]:
        # One by one: a signal gives each the settings that its pages read.
        name = f"person-{pk}"
        person.objects.create(pk=pk, username=name, email=f"{name}@example.com", is_staff=True)


def measure(asked: dict[str, Any]) -> dict[str, Any]:
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(pk=asked["person"]))
    pages: dict[str, Callable[[], int]] = {
        "queue": partial(_list, client, "", 50),
        "queue of 25": partial(_list, client, "", 25),
        "ticket": partial(_ticket, client, asked["ticket"], asked["last_words"]),
    }
    for name, word in asked["words"].items():
        pages[f"search, {name}"] = partial(_list, client, f"?q={word}", 50)
    for page in pages.values():
        page()  # warm before the first is timed, as Amends' process is by then
    return {name: _timed(page) for name, page in pages.items()}


def _timed(page: Callable[[], int]) -> dict[str, Any]:
    """Once unmeasured, then 40 times; a slow page as often as 6 seconds allow, 5 at least."""
    found = page()
    times: list[float] = []
    while len(times) < ROUNDS and (len(times) < FEWEST_ROUNDS or sum(times) < MOST_SECONDS * 1000):
        begun = perf_counter()
        page()
        times.append((perf_counter() - begun) * 1000)
    return {"times": times, "found": found}


def _list(client: Client, query: str, length: int) -> int:
    """The list's page and the rows its script then asks for; how many tickets it found."""
    address = ROWS.search(_get(client, LIST + query))
    if address is None:
        raise AssertionError("the list's page names no address for its rows")
    answer = json.loads(
        _get(client, f"{unescape(address[1])}?draw=1&start=0&length={length}&search[value]=")
    )
    found = int(answer["recordsFiltered"])
    if len(answer["data"]) != min(length, found):
        raise AssertionError(f"{len(answer['data'])} rows of {found} tickets")
    return found


def _ticket(client: Client, pk: int, last_words: str) -> int:
    if last_words not in _get(client, f"{LIST}{pk}/"):
        raise AssertionError("the ticket's page lacks its last message")
    return 1


def _get(client: Client, address: str) -> str:
    response = client.get(address)
    if response.status_code != 200:
        raise AssertionError(f"{address}: {response.status_code}")
    return response.content.decode()


if __name__ == "__main__":
    main()
