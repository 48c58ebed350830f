"""One issuer at a time."""

from types import TracebackType
from typing import ClassVar, Self

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error


class LockLostError(Exception):
    """The lock's connection is gone, so another issuer may run: stop claiming."""


class IssuerLock:
    """A session's advisory lock on a connection of its own, used for nothing else.

    It ends with its connection, so a killed process never leaves it behind. It needs a real
    session: a pooler that shares sessions among transactions is noticed by `check` and refused.
    """

    # Of this product's own choosing; an installation speaks to one Stripe account.
    KEY: ClassVar = 0x616D656E6473

    def __init__(self) -> None:
        self._line: BaseDatabaseWrapper = connection.copy()
        self.is_held = False

    def __enter__(self) -> Self:
        with self._line.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [self.KEY])
            self.is_held = bool(cursor.fetchone()[0])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_held = False
        self._line.close()

    def check(self) -> None:
        """Ask the lock's own session whether it still holds it. Raises LockLostError if not."""
        try:
            with self._line.cursor() as cursor:
                cursor.execute(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
                    " AND pid = pg_backend_pid() AND objsubid = 1"
                    " AND (classid::bigint << 32 | objid::bigint) = %s)",
                    [self.KEY],
                )
                is_held = bool(cursor.fetchone()[0])
        except Error as error:
            raise LockLostError(str(error)) from error
        if not is_held:
            raise LockLostError("The session does not hold the lock any more.")
