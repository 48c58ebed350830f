"""The door for mail services."""

from collections.abc import Iterator

from tests.permissions.rows import NO_ONE, Row


def rows() -> Iterator[Row]:
    # Shut while no secret is set; with one, the service shows it.
    for method in ("GET", "POST"):
        yield Row("posted-mail", NO_ONE, method, args={"service": "set-mailgun"})
