"""What the sandbox holds, in one SQLite file of its own.

"PostgreSQL only" concerns Amends' own data: the sandbox plays a foreign company, and a file of its
own is what lets it be killed and restarted apart from everything else. An answer is sent only after
its effects are committed; WAL with synchronous=NORMAL survives a killed process.

Each kind of object is a table of (seq, id, created, filter columns, body): the body is the object
as the API shows it, and a higher seq is newer.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

StripeObject = dict[str, Any]
Condition = tuple[str, Any]
"""A comparison in SQL with one placeholder, and its value."""

KINDS: dict[str, tuple[str, ...]] = {
    "customers": ("email", "currency", "balance", "deleted"),
    "products": ("active",),
    "prices": ("active", "product", "currency", "type", "lookup_key"),
    "subscriptions": ("customer", "status", "trial_end", "collection_method"),
    "balance_transactions": ("customer", "invoice", "currency", "type", "amount"),
    "invoices": ("customer", "subscription", "status", "collection_method"),
    "events": ("type",),
}
"""The filter columns of each kind; each is a field of the object."""

_INDEXED = {"customer", "subscription", "product"}
_OTHER_TABLES = """
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key TEXT PRIMARY KEY, endpoint TEXT NOT NULL, digest BLOB NOT NULL,
    first_used INTEGER NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
    request_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS trial_updates (
    seq INTEGER PRIMARY KEY, subscription TEXT NOT NULL, at INTEGER NOT NULL,
    old_end INTEGER, new_end INTEGER NOT NULL, extended INTEGER NOT NULL,
    prorated INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY, event TEXT NOT NULL, type TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, status INTEGER, state TEXT NOT NULL DEFAULT 'pending',
    note TEXT);
CREATE INDEX IF NOT EXISTS deliveries_state ON deliveries (state);
CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


@dataclass
class Page:
    """Which part of a list is wanted: ``limit`` objects before or after the one with this seq."""

    limit: int = 10
    older_than: int | None = None
    newer_than: int | None = None
    conditions: list[Condition] = field(default_factory=list)


class Store:
    """One connection, used by the one thread of the server."""

    def __init__(self, path: Path | str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=NORMAL")
        self.execute("PRAGMA wal_autocheckpoint=4000")
        self.execute("PRAGMA cache_size=-32000")
        self._create_tables()

    def close(self) -> None:
        self._connection.close()

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; committed on the way out."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def add(self, kind: str, thing: StripeObject, **columns: Any) -> None:
        """Keep a new object; raises sqlite3.IntegrityError when its id is taken."""
        names = ("id", "created", *KINDS[kind], "body")
        marks = ", ".join("?" * len(names))
        sql = f"INSERT INTO {kind} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - constants
        self.execute(sql, self._values(kind, thing, columns, with_id=True))

    def replace(self, kind: str, thing: StripeObject, **columns: Any) -> None:
        """Write an object back under its id."""
        sets = ", ".join(f"{name} = ?" for name in (*KINDS[kind], "body"))
        sql = f"UPDATE {kind} SET {sets} WHERE id = ?"  # noqa: S608 - constants
        self.execute(sql, (*self._values(kind, thing, columns, with_id=False), thing["id"]))

    def find(self, kind: str, identifier: str) -> StripeObject | None:
        sql = f"SELECT body FROM {kind} WHERE id = ?"  # noqa: S608 - constant
        row = self.execute(sql, (identifier,)).fetchone()
        return json.loads(row[0]) if row else None

    def seq(self, kind: str, identifier: str) -> int | None:
        sql = f"SELECT seq FROM {kind} WHERE id = ?"  # noqa: S608 - constant
        row = self.execute(sql, (identifier,)).fetchone()
        return row[0] if row else None

    def page(self, kind: str, page: Page) -> tuple[list[StripeObject], bool]:
        """The objects, newest first, and whether there are more in the direction of paging."""
        conditions = list(page.conditions)
        if page.older_than is not None:
            conditions.append(("seq < ?", page.older_than))
        if page.newer_than is not None:
            conditions.append(("seq > ?", page.newer_than))
        where = " AND ".join(sql for sql, _ in conditions) or "1"
        order = "ASC" if page.newer_than is not None else "DESC"
        sql = f"SELECT body FROM {kind} WHERE {where} ORDER BY seq {order} LIMIT ?"  # noqa: S608
        values = [value for _, value in conditions]
        rows = self.execute(sql, (*values, page.limit + 1)).fetchall()
        things = [json.loads(body) for (body,) in rows[: page.limit]]
        if order == "ASC":
            things.reverse()
        return things, len(rows) > page.limit

    def count(self, table: str, where: str = "1", values: tuple[Any, ...] = ()) -> int:
        sql = f"SELECT COUNT(*) FROM {table} WHERE {where}"  # noqa: S608 - constants
        return int(self.execute(sql, values).fetchone()[0])

    def number(self, name: str) -> int:
        row = self.execute("SELECT value FROM numbers WHERE name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def set_number(self, name: str, value: int) -> None:
        self.execute(
            "INSERT INTO numbers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = ?2",
            (name, value),
        )

    def clear(self) -> None:
        """Forget everything, ids and keys included."""
        others = ("idempotency_keys", "trial_updates", "deliveries", "numbers")
        with self.transaction():
            for table in (*KINDS, *others):
                self.execute(f"DELETE FROM {table}")  # noqa: S608 - constants

    def _values(
        self, kind: str, thing: StripeObject, columns: dict[str, Any], *, with_id: bool
    ) -> list[Any]:
        values = [thing["id"], thing["created"]] if with_id else []
        for name in KINDS[kind]:
            value = columns[name] if name in columns else thing.get(name)
            values.append(json.dumps(value) if isinstance(value, dict) else value)
        values.append(json.dumps(thing, separators=(",", ":")))
        return values

    def _create_tables(self) -> None:
        for kind, columns in KINDS.items():
            self.execute(
                f"CREATE TABLE IF NOT EXISTS {kind} (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, "
                f"created INTEGER, {', '.join(columns)}, body TEXT NOT NULL)"
            )
            for column in sorted(_INDEXED.intersection(columns)):
                self.execute(
                    f"CREATE INDEX IF NOT EXISTS {kind}_{column} ON {kind} ({column}, seq)"
                )
        self._connection.executescript(_OTHER_TABLES)
