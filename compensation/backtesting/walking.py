"""Going through the incidents of a stretch of time, slice by slice, under two versions."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from time import monotonic
from typing import Any

from django.db import connection
from django.db.models import Prefetch
from django.utils import timezone

from compensation.backtesting.exposures import (
    find_exposures,
    forget_exposures,
    hide_incidents,
    shares_hit,
    show_incident,
)
from compensation.backtesting.giving import MAKE_AWARDS, Shares, Side, give
from compensation.backtesting.people import Slice, forget_classes, tell_classes, tell_persons
from compensation.backtesting.shadows import HIDDEN, PREFIX, make_shadows, shadowed
from compensation.backtesting.sums import MAKE_TOTALS, Sums
from compensation.models import PolicyVersion
from compensation.pricing.periods import MONTHS, tenure_cutoff
from incidents.models import Incident, Outage

# Fewer, longer slices find the classes less often, but have more of them; whole periods each.
SLICE_MONTHS = 2
# How long the real tables are hidden at a time; then whoever waits is told how far it is.
HIDDEN_SECONDS = 1.0
_TABLES = ("given", "total", "next", "person", "set", "member", "class", "stage", "hit", "profile",
           "ended", *HIDDEN)  # fmt: skip
# Whoever was cancelled later was not when an incident was priced that they outlived.
_ENDED = """
CREATE TEMP TABLE backtest_ended AS SELECT id, ended_at FROM backtest_customers_subscription
WHERE status = 'canceled' AND ended_at IS NOT NULL
"""
_AS_THEN = """
UPDATE customers_subscription s SET status = t.status FROM (
    SELECT id, CASE WHEN ended_at > %(at)s THEN 'active' ELSE 'canceled' END AS status
    FROM backtest_ended
) t WHERE t.id = s.id AND s.status <> t.status
"""


class Cancelled(Exception):  # noqa: N818 - no error: somebody wanted it
    """Whoever was told how far it is said to stop."""


@dataclass(frozen=True)
class Walk:
    """The incidents of a backtest in the order of time, and the one or two sides."""

    sides: Sequence[Side]
    incidents: Sequence[Incident]
    now: datetime

    @property
    def steps(self) -> int:
        return len(self.incidents) * len(self.sides)


def plan(version: PolicyVersion, against: PolicyVersion | None, first: date, last: date) -> Walk:
    """What there is to do for the incidents begun from `first` to `last` (days of UTC)."""
    now = timezone.now()
    start = datetime.combine(first, time(), UTC)
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    outages = Outage.objects.filter(starts_at__lt=now).only("incident", "component", "starts_at",
                                                            "ends_at")  # fmt: skip
    incidents = (
        Incident.objects.filter(started_at__gte=start, started_at__lt=end)
        .defer("summary")
        .order_by("started_at", "id")
        .prefetch_related(Prefetch("outages", queryset=outages.order_by()))
    )
    sides = [Side.of(n, one) for n, one in enumerate((version, against)) if one is not None]
    return Walk(sides, [one for one in incidents if _matters(one)], now)


def _matters(incident: Incident) -> bool:
    """Without outages nobody is hit, unless a list said so."""
    return incident.cohorts_resolved_at is not None or bool(incident.outages.all())


def walk(todo: Walk, tell: Callable[[int], None]) -> dict[str, Any]:
    """Price every incident under every side; writes nothing but temporary tables.

    `tell` is called between transactions with how many steps are done; it may raise Cancelled.

    Raises:
        ConditionError: a row's further condition cannot be understood.
        Cancelled: `tell` said so.
    """
    sums = Sums()
    done = classes = 0
    _drop_tables()
    try:
        _make_tables(todo)
        for incidents in _slices(todo):
            classes += _open(todo, incidents)
            shares = _shares(todo, incidents)
            for steps in _steps(todo, incidents, shares):
                done += steps
                tell(done)
            sums.add_slice()
            _close()
        return sums.as_dict() | {"classes": classes} | _counts(todo)
    finally:
        _drop_tables()


def _make_tables(todo: Walk) -> None:
    versions = [side.version for side in todo.sides]
    components = sorted({o.component_id for i in todo.incidents for o in i.outages.all()})
    tell_persons(versions, components, _pks(todo.incidents, resolved=True))
    make_shadows()
    with connection.cursor() as cursor:
        cursor.execute(MAKE_AWARDS)
        cursor.execute(MAKE_TOTALS)


def _slices(todo: Walk) -> Iterator[list[Incident]]:
    """Of whole periods, so that caps never look beyond one; all at once where bills differ."""
    periods = {side.version.fee_period for side in todo.sides}
    if PolicyVersion.FeePeriod.BILLING in periods:
        if todo.incidents:
            yield list(todo.incidents)
        return
    months = max(SLICE_MONTHS, *(MONTHS[PolicyVersion.FeePeriod(one)] for one in periods))

    def slice_of(incident: Incident) -> int:
        at = incident.started_at.astimezone(UTC)
        return (at.year * 12 + at.month - 1) // months

    for _slice, incidents in groupby(todo.incidents, key=slice_of):
        yield list(incidents)


def _open(todo: Walk, incidents: Sequence[Incident]) -> int:
    """Find the classes of the slice and whom its incidents hit."""
    resolved, unresolved = _pks(incidents, resolved=True), _pks(incidents, resolved=False)
    of_unresolved = [o for i in incidents if i.pk in set(unresolved) for o in i.outages.all()]
    slice_ = Slice(
        spans=[(o.starts_at, min(o.ends_at or todo.now, todo.now)) for o in of_unresolved],
        moments=[*_cutoffs(todo, incidents), *(_priced_at(i, todo.now) for i in incidents)],
        components=sorted({outage.component_id for outage in of_unresolved}),
        resolved=resolved,
    )
    count = tell_classes(slice_)
    find_exposures(resolved, unresolved, now=todo.now, in_turn=_in_turn(todo))
    with connection.cursor() as cursor:
        cursor.execute(_ENDED)
    return count


def _shares(todo: Walk, incidents: Sequence[Incident]) -> Shares:
    """What part of the customers each incident hit, if a side asks for it."""
    by_customers = PolicyVersion.Share.CUSTOMERS
    if all(side.version.affected_share != by_customers for side in todo.sides):
        return {}
    return shares_hit(incidents, in_turn=_in_turn(todo))


def _close() -> None:
    forget_classes()
    forget_exposures()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE backtest_ended")


def _steps(todo: Walk, incidents: Sequence[Incident], shares: Shares) -> Iterator[int]:
    """Each side from the first incident on; how many were priced since the last time."""
    for side in todo.sides:
        pending, then = deque(incidents), _AsThen()
        while pending:
            steps, until = 0, monotonic() + HIDDEN_SECONDS
            with shadowed():
                while pending and monotonic() < until:
                    then.be(_priced_at(pending[0], todo.now))
                    _step(todo, side, pending.popleft(), shares)
                    steps += 1
            yield steps
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {PREFIX}compensation_award")
        if _in_turn(todo):
            hide_incidents()


class _AsThen:
    """Turns the statuses of those who stand for the classes to a moment."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ended_at FROM backtest_ended ORDER BY ended_at")
            self.ends = [ended for (ended,) in cursor.fetchall()]
        self.before: int | None = None

    def be(self, at: datetime) -> None:
        """As at `at`; the real subscriptions must be hidden."""
        before = bisect_right(self.ends, at)
        if before != self.before:
            self.before = before
            with connection.cursor() as cursor:
                cursor.execute(_AS_THEN, {"at": at})


def _step(todo: Walk, side: Side, incident: Incident, shares: Shares) -> None:
    at = _priced_at(incident, todo.now)
    if _in_turn(todo):
        show_incident(incident.pk)
    give(side, incident, at=at, shares=shares)


def _in_turn(todo: Walk) -> bool:
    return any(side.version.basis == PolicyVersion.Basis.PERIOD for side in todo.sides)


def _priced_at(incident: Incident, now: datetime) -> datetime:
    """When it was resolved; what still runs is priced as if it ended now."""
    return incident.resolved_at or now


def _cutoffs(todo: Walk, incidents: Iterable[Incident]) -> set[datetime]:
    """From which a life has lasted as long as a row asks."""
    months = {
        bound
        for side in todo.sides
        for rule in side.rules
        for bound in (rule.tenure_months_from, rule.tenure_months_to)
        if bound is not None
    }
    return {tenure_cutoff(i.started_at, bound) for i in incidents for bound in months}


def _pks(incidents: Iterable[Incident], *, resolved: bool) -> list[int]:
    return [i.pk for i in incidents if (i.cohorts_resolved_at is not None) == resolved]


def _counts(todo: Walk) -> dict[str, int]:
    return {
        "incidents": len(todo.incidents),
        "estimated": len(_pks(todo.incidents, resolved=False)),
    }


def _drop_tables() -> None:
    names = ", ".join(f"pg_temp.{PREFIX}{name}" for name in _TABLES)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_my_temp_schema() <> 0")
        if cursor.fetchone() == (True,):
            cursor.execute(f"DROP TABLE IF EXISTS {names}")
