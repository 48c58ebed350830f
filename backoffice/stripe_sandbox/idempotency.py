"""Idempotency keys, as Stripe's v1 API has them.

Kept: status and body of whatever was executed, including a 500. Not kept: refusals from before
execution (bad parameters, a conflict, too many requests). A key is forgotten 24 hours after its
first use, by the sandbox's clock, and then executes again.
Source: https://docs.stripe.com/api/idempotent_requests
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backoffice.stripe_sandbox.answers import Answer
from backoffice.stripe_sandbox.errors import StripeError, key_in_use
from backoffice.stripe_sandbox.forms import Pairs
from backoffice.stripe_sandbox.world import World

LONGEST_KEY = 255
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Use:
    """A key with what it was used for."""

    key: str
    endpoint: str
    digest: bytes


def use_of(key: str, method: str, path: str, pairs: Pairs) -> Use:
    """Raises StripeError (400) when the key is too long."""
    if len(key) > LONGEST_KEY:
        raise StripeError(
            400,
            f"Invalid idempotency key: it can be at most {LONGEST_KEY} characters long.",
            kind="idempotency_error",
        )
    digest = hashlib.blake2b(repr(sorted(pairs)).encode(), digest_size=16).digest()
    return Use(key, f"{method} {path}", digest)


class KeyRing:
    """The keys of the account, and those whose request is being worked on right now."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._in_flight: set[str] = set()

    def replay(self, use: Use) -> Answer | None:
        """The kept answer, or None when this is the key's first use (or it was forgotten).

        Raises:
            StripeError: 409 while the first request is in flight, 400 for another request.
        """
        if use.key in self._in_flight:
            raise key_in_use(use.key)
        row = self._world.store.execute(
            "SELECT endpoint, digest, first_used, status, body, request_id "
            "FROM idempotency_keys WHERE key = ?",
            (use.key,),
        ).fetchone()
        if row is None or row[2] + KEPT_SECONDS <= self._world.now():
            return None
        endpoint, digest, _, status, body, request_id = row
        if endpoint != use.endpoint:
            raise _misuse(
                "Keys for idempotent requests can only be used for the same endpoint they were "
                f"first used for ('{use.endpoint}' vs '{endpoint}').",
                use.key,
            )
        if digest != use.digest:
            raise _misuse(
                "Keys for idempotent requests can only be used with the same parameters they were "
                "first used with.",
                use.key,
            )
        headers = {"idempotent-replayed": "true", "original-request": request_id}
        if status >= 400:  # noqa: PLR2004 - the range of errors
            headers["stripe-should-retry"] = "false"
        return Answer(status, body, headers)

    def keep(self, use: Use, answer: Answer) -> None:
        """Write the answer down, in the transaction of its effects."""
        self._world.store.execute(
            "INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                use.key,
                use.endpoint,
                use.digest,
                self._world.now(),
                answer.status,
                answer.body,
                self._world.request_id,
            ),
        )

    @contextmanager
    def in_flight(self, use: Use | None) -> Iterator[None]:
        """While this lasts, the same key is answered with 409."""
        if use is None:
            yield
            return
        self._in_flight.add(use.key)
        try:
            yield
        finally:
            self._in_flight.discard(use.key)


def _misuse(message: str, key: str) -> StripeError:
    return StripeError(
        400,
        f"{message} Try using a key other than '{key}' if you meant to execute a different "
        "request.",
        kind="idempotency_error",
    )
