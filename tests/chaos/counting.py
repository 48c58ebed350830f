"""The count at the end, by what the sandbox's own file holds and not by our books."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compensation.ledger import verify_chain
from compensation.models import Award, LedgerEntry
from tests.chaos.world import Owed


@dataclass
class Count:
    """`lost`: not given, or given and not in our books. `doubled`: given more than is owed."""

    awards: int
    issued: int = 0
    failed: int = 0
    unknown: int = 0
    lost: int = 0
    doubled: int = 0
    unexplained: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        return not (self.lost or self.doubled or self.unexplained or self.problems)

    def line(self, *, kills: int, seconds: float) -> str:
        return (
            f"awards={self.awards} issued={self.issued} failed={self.failed} "
            f"unknown={self.unknown} lost={self.lost} doubled={self.doubled} "
            f"kills={kills} seconds={seconds:.0f}"
        )


@dataclass
class Held:
    """What Stripe holds: transactions by our award's number, subscriptions, extensions of each."""

    transactions: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)


def count(state: Path, owed: list[Owed]) -> Count:
    """Compare the sandbox's file `state`, which is read only, with what is owed, then our books."""
    held = read(state)
    counted = Count(awards=len(owed))
    rows = {award.pk: award for award in Award.objects.all()}
    for each in owed:
        _judge(counted, each, rows[each.award], _given(held, each))
    _count_strangers(counted, held, owed)
    _check_books(counted, owed, rows)
    return counted


def read(state: Path) -> Held:
    """Everything of the sandbox that could be money or time."""
    held = Held()
    line = sqlite3.connect(f"file:{state}?mode=ro", uri=True)
    try:
        for body in _bodies(line, "balance_transactions"):
            held.transactions[str(body["metadata"].get("award", ""))].append(body)
        held.subscriptions = {body["id"]: body for body in _bodies(line, "subscriptions")}
        held.extensions = dict(
            line.execute(
                "SELECT subscription, COUNT(*) FROM trial_updates WHERE extended GROUP BY 1"
            )
        )
    finally:
        line.close()
    return held


def _bodies(line: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    for (body,) in line.execute(f"SELECT body FROM {table} ORDER BY seq"):  # noqa: S608 - constants
        yield json.loads(body)


def _given(held: Held, owed: Owed) -> list[str]:
    """Stripe's ids of everything that was given for the award, right or wrong in its amount."""
    if owed.benefit == "credit":
        return [each["id"] if _is_right(each, owed) else f"wrong {each['id']}"
                for each in held.transactions.get(str(owed.award), [])]  # fmt: skip
    subscription = held.subscriptions[owed.destination]
    marked = f"amends_award_{owed.award}" in subscription["metadata"]
    is_right = marked and subscription["trial_end"] == owed.trial_end
    extensions = held.extensions.get(owed.destination, 0)
    return [owed.destination if is_right else f"wrong {owed.destination}"] * extensions


def _is_right(transaction: dict[str, Any], owed: Owed) -> bool:
    found = (transaction["customer"], transaction["amount"], transaction["currency"])
    return found == (owed.destination, -owed.amount_minor, owed.currency.lower())


def _judge(counted: Count, owed: Owed, award: Award, given: list[str]) -> None:
    state = award.state
    counted.issued += state == "issued"
    counted.failed += state == "failed"
    counted.unknown += state == "unknown"
    counted.unexplained += state == "unknown" and not award.error_message
    expected = 0 if owed.is_refused else 1
    if len(given) > expected:
        counted.doubled += len(given) - expected
        counted.problems.append(f"award {owed.award} ({state}) was given {len(given)} times")
    if state == "unknown":
        return
    is_in_books = state == ("failed" if owed.is_refused else "issued")
    is_given = owed.is_refused or given[:1] == [award.stripe_id]
    if not (is_in_books and is_given):
        counted.lost += 1
        counted.problems.append(
            f"award {owed.award} is {state} ({award.error_message}), given: {given or 'nothing'}"
        )


def _count_strangers(counted: Count, held: Held, owed: Iterable[Owed]) -> None:
    known = {str(each.award) for each in owed}
    for award, transactions in held.transactions.items():
        if award not in known:
            counted.doubled += len(transactions)
            counted.problems.append(f"{len(transactions)} transactions are of no award: {award!r}")


def _check_books(counted: Count, owed: list[Owed], rows: dict[int, Award]) -> None:
    """One entry for what is issued, of its amount, in an unbroken chain."""
    entries = sorted(LedgerEntry.objects.values_list("award", "amount_minor", "stripe_id"))
    issued = sorted(
        (each.award, each.amount_minor, rows[each.award].stripe_id)
        for each in owed
        if rows[each.award].state == "issued"
    )
    if entries != issued:
        counted.problems.append(f"{len(entries)} entries in the ledger, {len(issued)} issued")
    counted.problems += [f"the ledger breaks at {broken}" for broken in verify_chain()]
