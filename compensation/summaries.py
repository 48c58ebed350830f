"""The figures of a batch's page: totals, distribution, progress.

All amounts are integers in minor units, by currency; benefits without money count with 0.
"""

from datetime import datetime, timedelta
from typing import TypedDict

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from compensation.models import Award, Batch
from compensation.models.award import AwardState, Exclusion

LARGEST = 20
MOST_BUCKETS = 20
RATE_WINDOW = timedelta(seconds=30)


class Line(TypedDict):
    """One group of awards that are not left out."""

    key: str
    label: str
    awards: int
    amounts_minor: dict[str, int]


class Bucket(TypedDict):
    """Credits from `from_minor` up to and without `to_minor`."""

    from_minor: int
    to_minor: int
    awards: int


class Large(TypedDict):
    """One of the largest awards of its currency."""

    award: int
    customer: str
    amount_minor: int


class Spread(TypedDict):
    """How one currency's credits are distributed."""

    smallest_minor: int
    median_minor: int
    largest_minor: int
    buckets: list[Bucket]
    largest: list[Large]


class LeftOut(TypedDict):
    """Awards left out, by reason (`Exclusion`)."""

    exclusion: str
    label: str
    awards: int


class Summary(TypedDict):
    """A batch at a glance. `by_rule` keys are row positions joined by "+"."""

    awards: int
    customers: int
    amounts_minor: dict[str, int]
    by_benefit: list[Line]
    by_rule: list[Line]
    by_plan: list[Line]
    by_country: list[Line]
    spreads: dict[str, Spread]
    left_out: list[LeftOut]


class Progress(TypedDict):
    """How far issuing is. `eta_seconds` is None while nothing moves."""

    total: int
    by_state: dict[str, int]
    per_second: float
    eta_seconds: int | None


def summarise(batch: Batch) -> Summary:
    """The batch's figures, from its cache if there is one.

    Verbs that change the awards empty the cache; it is filled here under the batch's lock, so it
    never holds figures older than the last change. If a verb holds the lock, nothing is kept.
    """
    if batch.summary:
        cached: Summary = batch.summary
        return cached
    with transaction.atomic():
        locked = Batch.objects.select_for_update(skip_locked=True).filter(pk=batch.pk).first()
        summary = _computed(batch)
        if locked is not None and locked.state != Batch.State.DRAFT:
            Batch.objects.filter(pk=batch.pk).update(summary=summary)
    batch.summary = summary
    return summary


def awards_progress(batch: Batch, *, now: datetime | None = None) -> Progress:
    """How many awards stand in which state, and how fast they are issued. One query."""
    now = now or timezone.now()
    started = batch.issuing_started_at or now
    window = min(RATE_WINDOW, max(now - started, timedelta(seconds=1)))
    rows = (
        Award.objects.filter(batch=batch)
        .exclude(state=AwardState.EXCLUDED)
        .order_by()
        .values_list("state")
        .annotate(awards=Count("id"), recent=Count("id", filter=Q(issued_at__gt=now - window)))
    )
    by_state: dict[str, int] = dict.fromkeys(
        (state for state in AwardState.values if state != AwardState.EXCLUDED), 0
    )
    recent = 0
    for state, awards, issued_lately in rows:
        by_state[state] = awards
        recent += issued_lately
    per_second = recent / window.total_seconds()
    left = by_state[AwardState.APPROVED] + by_state[AwardState.SENDING]
    return {
        "total": sum(by_state.values()),
        "by_state": by_state,
        "per_second": round(per_second, 1),
        "eta_seconds": round(left / per_second) if per_second else None,
    }


def _computed(batch: Batch) -> Summary:
    groups = _groups(batch)
    totals = groups["all"]
    labels = _rule_labels(batch)
    for line in groups["rule"]:
        positions = line["key"].split("+")
        line["label"] = " + ".join(labels.get(int(p), f"Row {p}") for p in positions if p)
    for line in groups["benefit"]:
        line["label"] = str(Award.Benefit(line["key"]).label)
    amounts = totals[0]["amounts_minor"] if totals else {}
    kept = Award.objects.filter(batch=batch).exclude(state=AwardState.EXCLUDED)
    return {
        "awards": totals[0]["awards"] if totals else 0,
        "customers": kept.aggregate(n=Count("customer", distinct=True))["n"],
        "amounts_minor": amounts,
        "by_benefit": groups["benefit"],
        "by_rule": groups["rule"],
        "by_plan": groups["plan"],
        "by_country": groups["country"],
        "spreads": _spreads(batch),
        "left_out": _left_out(batch),
    }


def _rule_labels(batch: Batch) -> dict[int, str]:
    """By position; goodwill has no rows."""
    if batch.version is None:
        return {}
    rows = batch.version.rules.values_list("position", "label")
    return {position: label or f"Row {position}" for position, label in rows}


_GROUPS = """
    SELECT CASE grouping(benefit, rules, plan, country)
               WHEN 7 THEN 'benefit' WHEN 11 THEN 'rule' WHEN 13 THEN 'plan'
               WHEN 14 THEN 'country' ELSE 'all'
           END,
           coalesce(benefit, array_to_string(rules, '+'), plan, country, ''),
           currency, count(*), sum(amount_minor)::bigint
    FROM compensation_award
    WHERE batch_id = %s AND state <> 'excluded'
    GROUP BY GROUPING SETS (
        (benefit, currency), (rules, currency), (plan, currency), (country, currency), (currency)
    )
"""


def _groups(batch: Batch) -> dict[str, list[Line]]:
    """Awards and amounts by benefit, rule, plan and country, biggest group first."""
    found: dict[str, dict[str, Line]] = {
        name: {} for name in ("all", "benefit", "rule", "plan", "country")
    }
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, [batch.pk])
        for name, key, currency, awards, amount_minor in cursor:
            line = found[name].setdefault(
                key, {"key": key, "label": key, "awards": 0, "amounts_minor": {}}
            )
            line["awards"] += awards
            if amount_minor:
                line["amounts_minor"][currency] = amount_minor
    return {
        name: sorted(lines.values(), key=lambda line: (-line["awards"], line["key"]))
        for name, lines in found.items()
    }


_CREDITS = "batch_id = %(batch)s AND state <> 'excluded' AND benefit = 'credit'"
_BUCKETS = f"""
    SELECT currency, amount_minor / (%(steps)s::jsonb ->> currency)::bigint, count(*)
    FROM compensation_award WHERE {_CREDITS} GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - no values in it
_MIDDLE = f"""
    SELECT currency, min(amount_minor),
           percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_minor), max(amount_minor)
    FROM compensation_award WHERE {_CREDITS} GROUP BY currency ORDER BY currency
"""  # noqa: S608


def _spreads(batch: Batch) -> dict[str, Spread]:
    """Smallest, median, largest and histogram of each currency's credits."""
    from django.db.backends.postgresql.psycopg_any import Jsonb

    spreads: dict[str, Spread] = {}
    with connection.cursor() as cursor:
        cursor.execute(_MIDDLE, {"batch": batch.pk})
        for currency, smallest, median, largest in cursor.fetchall():
            spreads[currency] = {
                "smallest_minor": smallest,
                "median_minor": median,
                "largest_minor": largest,
                "buckets": [],
                "largest": _largest(batch, currency),
            }
        steps = {name: bucket_step(spread["largest_minor"]) for name, spread in spreads.items()}
        cursor.execute(_BUCKETS, {"batch": batch.pk, "steps": Jsonb(steps)})
        for currency, number, awards in cursor.fetchall():
            step = steps[currency]
            spreads[currency]["buckets"].append(
                {"from_minor": number * step, "to_minor": (number + 1) * step, "awards": awards}
            )
    return spreads


def bucket_step(largest_minor: int) -> int:
    """A round width (1, 2 or 5 times a power of ten) that makes at most MOST_BUCKETS buckets."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if largest_minor // (digit * power) < MOST_BUCKETS:
                return digit * power
        power *= 10


def _largest(batch: Batch, currency: str) -> list[Large]:
    awards = (
        Award.objects.filter(batch=batch, benefit=Award.Benefit.CREDIT, currency=currency)
        .exclude(state=AwardState.EXCLUDED)
        .select_related("customer")
        .order_by("-amount_minor", "id")[:LARGEST]
    )
    return [
        {
            "award": award.pk,
            "customer": str(award.customer),
            "amount_minor": award.amount_minor,
        }
        for award in awards
    ]


def _left_out(batch: Batch) -> list[LeftOut]:
    rows = (
        Award.objects.filter(batch=batch, state=AwardState.EXCLUDED)
        .order_by()
        .values_list("exclusion")
        .annotate(awards=Count("id"))
        .order_by("-awards", "exclusion")
    )
    return [
        {
            "exclusion": exclusion,
            "label": str(Exclusion(exclusion).label) if exclusion else "",
            "awards": awards,
        }
        for exclusion, awards in rows
    ]
