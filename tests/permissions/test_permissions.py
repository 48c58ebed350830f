"""The permission table: every door is in it, and every door is open and shut as it says."""

import pytest
from django.db import transaction
from django.urls import reverse

from tests.permissions.actors import ACTORS, EVERYBODY, clients
from tests.permissions.doors import every_door
from tests.permissions.table import TABLE
from tests.permissions.world import build

pytestmark = pytest.mark.django_db

SHUT = {401, 403, 404, 405, 410}
# Whoever must sign in first is led there.
SIGN_IN = ("/accounts/login/", "/admin/login/")


def test_every_door_has_a_row():
    assert {row.door for row in TABLE} == every_door()


@pytest.fixture(scope="module")
def stage(django_db_setup, django_db_blocker):
    """The world and everybody in it, made once and rolled back after the last row."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build(), clients()
        transaction.set_rollback(True)


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_door_opens_to_whom_the_table_says(row, stage):
    world, actors = stage
    url = address(row, world)
    # On a page a key is worth nothing: who holds one is nobody there.
    before_it = ACTORS if url.startswith("/api/") else EVERYBODY
    let_in = {name for name in before_it if opens(actors[name], row, url)}
    wrong = {"let in": sorted(let_in - row.opens), "shut out": sorted(row.opens - let_in)}
    assert wrong == {"let in": [], "shut out": []}


def address(row, world):
    """An argument is a name of the world, or with “=” before it the very word."""
    args = {k: v[1:] if v.startswith("=") else world.get(v, v) for k, v in row.args.items()}
    if row.door.startswith("/"):
        url = row.door
        for name, value in args.items():
            url = url.replace(f"<path:{name}>", str(value))
        return url.replace("(?P<url>.*)$", "no-such-page/")
    return reverse(row.door.split(" ")[0], kwargs=args)


def opens(client, row, url):
    """Whether the door let this client through; what it did there is taken back."""
    cookies = client.cookies.copy()
    with transaction.atomic():
        if row.method in {"GET", "HEAD"}:
            response = client.get(url)
        else:
            send = getattr(client, row.method.lower())
            is_api = url.startswith("/api/")
            how = {"content_type": "application/json"} if is_api else {}
            response = send(url, row.data, **how)
        transaction.set_rollback(True)
    client.cookies = cookies
    for close in response._resource_closers:  # closing all of it would close the database, too
        close()
    if response.status_code in {301, 302}:
        # Who signs out stands before the sign-in page, too.
        return "logout" in row.door or not response["Location"].startswith(SIGN_IN)
    return response.status_code not in SHUT
