"""The ledger: entries are added, in one chain of hashes, and summed up."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import Sum

from backoffice.customers.models import Customer
from compensation.models import LedgerEntry
from compensation.models.ledger import GENESIS
from compensation.verification import verify_chain

__all__ = ["GENESIS", "NewEntry", "balance", "entry_hash", "record_entries", "verify_chain"]

# Held to the end of the writer's transaction, so the chain has one end and ids follow it.
_ONE_WRITER = "SELECT pg_advisory_xact_lock(hashtext('compensation.ledger'))"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """One fact to be booked; see LedgerEntry for units and signs. `booked_at` is UTC."""

    kind: str
    customer_id: int
    booked_at: datetime
    award_id: int | None = None
    amount_minor: int = 0
    currency: str = ""
    stripe_id: str = ""
    note: str = ""


def wait_for_other_writers() -> None:
    """Until this transaction ends, nobody else books. To decide on what the ledger sums up to.

    Lock other rows before, never after it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ONE_WRITER)


def record_entries(entries: Sequence[NewEntry]) -> list[LedgerEntry]:
    """Append `entries` in their order. Book and state belong into one transaction: the caller's.

    Writers wait for each other until they commit, so append last and commit soon.

    Raises:
        IntegrityError: an award's credit, trial or priority support is booked already.
    """
    if not entries:
        return []
    with transaction.atomic():
        wait_for_other_writers()
        last = LedgerEntry.objects.order_by("-id").values_list("hash", flat=True).first()
        rows = []
        before = last or GENESIS
        for entry in entries:
            row = LedgerEntry(
                kind=entry.kind,
                customer_id=entry.customer_id,
                award_id=entry.award_id,
                amount_minor=entry.amount_minor,
                currency=entry.currency,
                stripe_id=entry.stripe_id,
                note=entry.note,
                booked_at=entry.booked_at,
                previous_hash=before,
            )
            row.hash = before = entry_hash(row)
            rows.append(row)
        return LedgerEntry.objects.bulk_create(rows)


def already_booked(awards: Iterable[int]) -> set[int]:
    """Those of these awards whose credit, trial or priority support stands in the ledger."""
    given = (LedgerEntry.Kind.CREDIT, LedgerEntry.Kind.TRIAL, LedgerEntry.Kind.PRIORITY)
    entries = LedgerEntry.objects.filter(award__in=list(awards), kind__in=given)
    return {entry.award_id or 0 for entry in entries.only("award_id")}


def entry_hash(entry: LedgerEntry) -> str:
    """The SHA-256 (hex) of the entry as canonical JSON.

    That is: an object of the nine fields below with its keys sorted, no blanks, UTF-8 without
    escapes; `booked_at` in UTC with microseconds, as 2026-10-14T14:02:00.000000Z.
    """
    fields = {
        "amount_minor": entry.amount_minor,
        "award": entry.award_id,
        "booked_at": entry.booked_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "currency": entry.currency,
        "customer": entry.customer_id,
        "kind": str(entry.kind),
        "note": entry.note,
        "previous_hash": entry.previous_hash,
        "stripe_id": entry.stripe_id,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def balance(customer: Customer, currency: str, as_of: datetime | None = None) -> int:
    """The credit `customer` has left in `currency`, in minor units.

    `as_of` (inclusive) asks for how it was then. What an invoice has used counts once its use is
    booked here.
    """
    entries = LedgerEntry.objects.filter(customer=customer, currency=currency)
    if as_of is not None:
        entries = entries.filter(booked_at__lte=as_of)
    return entries.aggregate(total=Sum("amount_minor"))["total"] or 0
