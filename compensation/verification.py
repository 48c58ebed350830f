"""Checking the ledger's chain of hashes, entry by entry, in flat memory."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from json.encoder import encode_basestring
from typing import Any

from compensation.models import LedgerEntry
from compensation.models.ledger import GENESIS

CHUNK = 5000
_FIELDS = (
    "id", "hash", "previous_hash", "amount_minor", "award_id", "booked_at", "currency",
    "customer_id", "kind", "note", "stripe_id",
)  # fmt: skip


class Fault(StrEnum):
    """What can be wrong with an entry."""

    CHANGED = "changed"
    MISSING = "missing"
    OUT_OF_CHAIN = "out of chain"


@dataclass(frozen=True, slots=True)
class Break:
    """An entry that breaks the chain, and why in a sentence. `id` is 0 for one that is gone."""

    id: int
    fault: Fault
    why: str


@dataclass(frozen=True, slots=True)
class KeptHash:
    """A hash that was kept elsewhere, maybe with the id of its entry."""

    hash: str
    id: int | None = None

    @classmethod
    def parse(cls, text: str) -> "KeptHash":
        """From HASH or HASH@ID.

        Raises:
            ValueError: it is neither.
        """
        digest, _at, number = text.strip().lower().partition("@")
        is_hash = len(digest) == len(GENESIS) and set(digest) <= set("0123456789abcdef")
        if not is_hash or (_at and not number.isdecimal()):
            raise ValueError(f"“{text}” is no HASH or HASH@ID: a hash has 64 digits of 0-9a-f.")
        return cls(digest, int(number) if number else None)


@dataclass(slots=True)
class Verification:
    """What was found: how far it was read, and the first break, if there is one."""

    entries: int = 0
    last_id: int = 0
    last_hash: str = GENESIS
    broken: Break | None = None


def verify_ledger(kept: KeptHash | None = None) -> Verification:
    """Read the ledger by id up to the first entry that breaks the chain.

    An intact chain may still lack its newest entries. `kept`, a hash from an earlier run that lies
    out of the database's reach, shows that: its entry must still be there.
    """
    found = Verification()
    is_kept_seen = kept is None or kept.hash == GENESIS
    for row in _rows():
        found.broken = _judged(row, found.last_hash)
        if found.broken:
            return found
        found.entries += 1
        found.last_id, found.last_hash = row[0], row[1]
        if kept and row[1] == kept.hash:
            is_kept_seen = kept.id in {None, row[0]}
    if kept and not is_kept_seen:
        found.broken = _gone(kept)
    return found


def verify_chain() -> Iterator[Break]:
    """Every break of the chain, oldest first; `verify_ledger` stops at the first."""
    before = GENESIS
    for row in _rows():
        if broken := _judged(row, before):
            yield broken
        before = row[1]


def _rows() -> Iterator[tuple[Any, ...]]:
    return LedgerEntry.objects.order_by("id").values_list(*_FIELDS).iterator(chunk_size=CHUNK)


def _judged(row: tuple[Any, ...], before: str) -> Break | None:
    number, digest, previous = row[:3]
    if digest != _hash(row[2:]):
        return Break(
            number, Fault.CHANGED, "Its fields do not give its hash: it was changed after booking."
        )
    if previous == before:
        return None
    if previous == GENESIS or LedgerEntry.objects.filter(hash=previous).exists():
        return Break(
            number,
            Fault.OUT_OF_CHAIN,
            "It does not follow the entry before it by id, but another one: ids were changed, or "
            "it was put in between.",
        )
    return Break(
        number,
        Fault.MISSING,
        f"The entry it follows (hash {previous}) is not there: it was removed, or written anew.",
    )


def _gone(kept: KeptHash) -> Break:
    where = f"No entry #{kept.id} with the hash" if kept.id else "No entry with the hash"
    return Break(
        kept.id or 0,
        Fault.MISSING,
        f"{where} kept elsewhere ({kept.hash}): it, and maybe what followed, was removed or "
        "written anew.",
    )


def _hash(fields: tuple[Any, ...]) -> str:
    """As `ledger.entry_hash`, some times as fast: a ledger has millions of entries.

    `fields` are those of _FIELDS from `previous_hash` on.
    """
    previous, amount, award, booked_at, currency, customer, kind, note, stripe_id = fields
    text = encode_basestring
    at = booked_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return hashlib.sha256(
        (
            f'{{"amount_minor":{amount},"award":{"null" if award is None else award},'
            f'"booked_at":"{at}Z","currency":{text(currency)},"customer":{customer},'
            f'"kind":{text(kind)},"note":{text(note)},"previous_hash":{text(previous)},'
            f'"stripe_id":{text(stripe_id)}}}'
        ).encode()
    ).hexdigest()
