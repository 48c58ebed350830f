"""The door for Stripe."""

from collections.abc import Iterator

from tests.permissions.rows import NO_ONE, Row


def rows() -> Iterator[Row]:
    # Only what is signed with a secret of ours is let in, whoever brings it.
    for method in ("GET", "POST"):
        yield Row("stripe-webhook", NO_ONE, method)
