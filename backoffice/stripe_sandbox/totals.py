"""What the sandbox counts by itself, for others to compare their books with."""

import json
from typing import Any

from backoffice.stripe_sandbox.store import Store

MOST_EXAMPLES = 20


def totals(store: Store, counts: dict[str, int], metadata_key: str | None = None) -> dict[str, Any]:
    """Sums in minor units, by currency; credits and debits are both positive.

    With ``metadata_key`` only transactions that carry the key are counted, and ``by_metadata`` says
    how many different values there are and which of them were credited more than once.
    """
    return {
        "currencies": _by_currency(store, metadata_key),
        "by_metadata": _by_metadata(store, metadata_key) if metadata_key else None,
        "customers": store.count("customers", "deleted IS NULL"),
        "subscriptions": store.count("subscriptions"),
        "invoices": store.count("invoices"),
        "events": store.count("events"),
        "subscriptions_with_extended_trial": _one(
            store, "SELECT COUNT(DISTINCT subscription) FROM trial_updates WHERE extended"
        ),
        "trial_extensions": store.count("trial_updates", "extended"),
        "trial_updates_prorated": store.count("trial_updates", "prorated"),
        "idempotency_keys": store.count("idempotency_keys"),
        "requests": counts.get("requests", 0),
        "replays": counts.get("replays", 0),
        "rate_limited": counts.get("rate_limited", 0),
        "answers": {
            name.removeprefix("status_"): number
            for name, number in sorted(counts.items())
            if name.startswith("status_")
        },
    }


def _by_currency(store: Store, metadata_key: str | None) -> dict[str, dict[str, int]]:
    rows = store.execute(
        "SELECT currency, "
        "SUM(type <> 'applied_to_invoice' AND amount < 0), "
        "SUM(CASE WHEN type <> 'applied_to_invoice' THEN MAX(-amount, 0) ELSE 0 END), "
        "SUM(type <> 'applied_to_invoice' AND amount > 0), "
        "SUM(CASE WHEN type <> 'applied_to_invoice' THEN MAX(amount, 0) ELSE 0 END), "
        "SUM(type = 'applied_to_invoice'), "
        "SUM(CASE WHEN type = 'applied_to_invoice' THEN amount ELSE 0 END) "
        "FROM balance_transactions "
        "WHERE ?1 IS NULL OR json_extract(body, ?1) IS NOT NULL GROUP BY currency",
        (_path(metadata_key),),
    )
    names = (
        "credits",
        "credited_minor",
        "debits",
        "debited_minor",
        "applications",
        "applied_to_invoices_minor",
    )
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def _by_metadata(store: Store, metadata_key: str) -> dict[str, Any]:
    rows = store.execute(
        "SELECT json_extract(body, ?1) AS value, COUNT(*) FROM balance_transactions "
        "WHERE amount < 0 AND json_extract(body, ?1) IS NOT NULL GROUP BY value",
        (_path(metadata_key),),
    ).fetchall()
    doubled = [value for value, times in rows if times > 1]
    return {
        "key": metadata_key,
        "credited": len(rows),
        "credited_more_than_once": len(doubled),
        "examples": doubled[:MOST_EXAMPLES],
    }


def _path(metadata_key: str | None) -> str | None:
    return None if metadata_key is None else f"$.metadata.{json.dumps(metadata_key)}"


def _one(store: Store, sql: str) -> int:
    return int(store.execute(sql).fetchone()[0])
