"""What taking something back would do, or has done, in figures. Amounts in minor units."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from compensation.models import Award, Batch, LedgerEntry, Reversal, ReversalRequest
from compensation.models.award import AwardState
from compensation.models.reversal import ReversalState
from compensation.reversing.asking import CANDIDATES

_OUTLOOK = f"""
    SELECT award.benefit, award.currency, count(*),
        count(*) FILTER (WHERE award.benefit <> 'credit' OR booked.left_minor > 0),
        coalesce(sum(award.amount_minor), 0), coalesce(sum(greatest(booked.left_minor, 0)), 0)
    {CANDIDATES}
    GROUP BY award.benefit, award.currency
"""


@dataclass(slots=True)
class Outlook:
    """What a request would ask for.

    `awards` have something left, of the `used_up` nothing is; `left_minor` is what would be taken,
    `used_minor` what invoices took and stays. `not_sent` are still to be issued, and stay so.
    """

    awards: int = 0
    used_up: int = 0
    left_minor: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    used_minor: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    trials: int = 0
    priorities: int = 0
    not_sent: int = 0


@dataclass(slots=True)
class Figures:
    """How far a request is; `limit_minor` is the most it takes, `kept_minor` what stays."""

    by_state: dict[str, int]
    awards: int
    limit_minor: dict[str, int]
    taken_minor: dict[str, int]
    kept_minor: dict[str, int]
    overdrawn: int


@dataclass(frozen=True, slots=True)
class InvoiceUse:
    """An invoice that took `amount_minor` (positive)."""

    invoice: str
    amount_minor: int


def outlook_of_award(award: Award) -> Outlook:
    """What would be taken back of one award."""
    return _outlook("award.id = %s", award.pk)


def outlook_of_batch(batch: Batch) -> Outlook:
    """What would be taken back of a batch; reads all its awards."""
    outlook = _outlook("award.batch_id = %s", batch.pk)
    outlook.not_sent = Award.objects.filter(
        batch=batch, state__in=[AwardState.APPROVED, AwardState.SENDING, AwardState.UNKNOWN]
    ).count()
    return outlook


def figures_of(request: ReversalRequest) -> Figures:
    """By state and in sum; two queries."""
    by_state: dict[str, int] = dict.fromkeys(ReversalState.values, 0)
    limits: dict[str, int] = defaultdict(int)
    taken: dict[str, int] = defaultdict(int)
    kept: dict[str, int] = defaultdict(int)
    lines: Iterable[Any] = (
        request.reversals.order_by()
        .values("state", "currency")
        .annotate(n=Count("id"), most=Sum("limit_minor"), back=Sum("amount_minor"))
    )
    for line in lines:
        by_state[line["state"]] += line["n"]
        if not line["currency"]:
            continue
        limits[line["currency"]] += line["most"]
        if line["state"] == ReversalState.DONE:
            taken[line["currency"]] += line["back"]
        if line["state"] in {ReversalState.DONE, ReversalState.NOTHING}:
            kept[line["currency"]] += line["most"] - line["back"]
    return Figures(
        by_state=by_state,
        awards=sum(by_state.values()),
        limit_minor=dict(limits),
        taken_minor={code: amount for code, amount in taken.items() if amount},
        kept_minor={code: amount for code, amount in kept.items() if amount},
        overdrawn=request.reversals.filter(overdrawn_minor__gt=0).count(),
    )


def with_figures(requests: Iterable[Any]) -> list[Any]:
    """Each with `figures`: lines of state, currency, n, most and back. One query for all."""
    found = list(requests)
    lines: Iterable[Any] = (
        Reversal.objects.filter(request__in=found)
        .order_by("request", "state", "currency")
        .values("request", "state", "currency")
        .annotate(n=Count("id"), most=Sum("limit_minor"), back=Sum("amount_minor"))
    )
    of: dict[int, list[Any]] = defaultdict(list)
    for line in lines:
        of[line["request"]].append(line)
    for each in found:
        each.figures = of[each.pk]
    return found


def uses_of(award: Award) -> list[InvoiceUse]:
    """Which invoices used how much of it, oldest first."""
    entries = award.ledger_entries.filter(kind=LedgerEntry.Kind.CONSUMED).order_by("id")
    return [
        InvoiceUse(entry.note or entry.stripe_id, -entry.amount_minor)
        for entry in entries
        if entry.amount_minor < 0
    ]


def _outlook(which: str, pk: int) -> Outlook:
    outlook = Outlook()
    with connection.cursor() as cursor:
        cursor.execute(_OUTLOOK.format(which=which), [pk])
        for benefit, currency, count, with_rest, given, left in cursor.fetchall():
            outlook.awards += with_rest
            outlook.used_up += count - with_rest
            if benefit == Award.Benefit.CREDIT:
                outlook.left_minor[currency] += int(left)
                outlook.used_minor[currency] += int(given - left)
            elif benefit == Award.Benefit.TRIAL:
                outlook.trials += count
            else:
                outlook.priorities += count
    outlook.used_minor = {code: used for code, used in outlook.used_minor.items() if used}
    return outlook
