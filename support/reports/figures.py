"""The figures of a report: a dozen statements, whatever the number of tickets."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import (
    Aggregate,
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    Value,
    When,
)
from django.db.models.functions import ExtractHour, TruncDay
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from support.models.ticket import Channel, TicketQuerySet
from support.reports.scope import Scope

MOST_INCIDENTS = 10
# Age of what is not solved: up to so many hours.
AGES = [
    (4, _("up to 4 h")),
    (24, _("up to a day")),
    (72, _("up to 3 days")),
    (168, _("up to a week")),
]
OLDER = _("older")


class Percentile(Aggregate):
    """The value below which `share` of the rows lie (SQL's percentile_cont)."""

    function = "percentile_cont"
    name = "Percentile"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def __init__(self, expression: Any, share: str, **more: Any) -> None:
        super().__init__(expression, share=share, **more)


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one set of tickets. Times are real, not business time; percents are None of none."""

    tickets: int
    answered: int
    first_response_median: timedelta | None
    first_response_p90: timedelta | None
    solved: int
    resolution_median: timedelta | None
    resolution_p90: timedelta | None
    promised: int
    kept: int
    reopened: int

    @property
    def kept_percent(self) -> int | None:
        """Rounded down: 99.6 % is not all of them."""
        return 100 * self.kept // self.promised if self.promised else None

    @property
    def reopened_percent(self) -> int | None:
        """Rounded up, likewise."""
        return -(-100 * self.reopened // self.solved) if self.solved else None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on the page. Lists are (label, count), speeds (label, Speed)."""

    scope: Scope
    total: Speed
    by_day: list[tuple[Any, int]]
    by_hour: list[tuple[int, int]]
    by_channel: list[tuple[str, int]]
    by_incident: list[tuple[str, int]]
    by_queue: list[tuple[str, Speed]]
    by_agent: list[tuple[str, Speed]]
    backlog: list[tuple[str, int]]
    unsolved: int


def report_of(scope: Scope) -> Report:
    """Count it now. Nine queries."""
    opened = scope.opened()
    ages = _backlog(scope.unsolved())
    return Report(
        scope=scope,
        total=Speed(**opened.aggregate(**_SPEED)),
        by_day=_by_day(scope),
        by_hour=_by_hour(opened),
        by_channel=_by_channel(opened),
        by_incident=_by_incident(opened),
        by_queue=_speeds(opened, "queue__name"),
        by_agent=_speeds(opened.exclude(assignee=None), "assignee__email"),
        backlog=ages,
        unsolved=sum(count for _label, count in ages),
    )


_FIRST = ExpressionWrapper(F("first_response_at") - F("created_at"), DurationField())
_SOLVED = ExpressionWrapper(F("solved_at") - F("created_at"), DurationField())
_SPEED = {
    "tickets": Count("id"),
    "answered": Count("first_response_at"),
    "first_response_median": Percentile(_FIRST, "0.5"),
    "first_response_p90": Percentile(_FIRST, "0.9"),
    "solved": Count("id", filter=Q(status__in=["solved", "closed"])),
    "resolution_median": Percentile(_SOLVED, "0.5"),
    "resolution_p90": Percentile(_SOLVED, "0.9"),
    "promised": Count("id", filter=Q(sla_policy__isnull=False)),
    "kept": Count("id", filter=Q(sla_policy__isnull=False, breaches=0)),
    "reopened": Count("id", filter=Q(reopened__gt=0, status__in=["solved", "closed"])),
}


def _speeds(tickets: TicketQuerySet, by: str) -> list[tuple[str, Speed]]:
    rows = tickets.values(by).annotate(**_SPEED).order_by("-tickets", by)
    return [(row.pop(by), Speed(**row)) for row in rows]


def _by_day(scope: Scope) -> list[tuple[Any, int]]:
    """Every day of the range, those without a ticket too."""
    counts = dict(
        scope.opened().annotate(day=TruncDay("created_at")).values_list("day").annotate(Count("id"))
    )
    counts = {moment.date(): count for moment, count in counts.items()}
    days = [scope.first + timedelta(days=n) for n in range(scope.days)]
    return [(day, counts.get(day, 0)) for day in days]


def _by_hour(tickets: TicketQuerySet) -> list[tuple[int, int]]:
    """By the hour of the day (UTC), all 24."""
    counts = dict(
        tickets.annotate(hour=ExtractHour("created_at")).values_list("hour").annotate(Count("id"))
    )
    return [(hour, counts.get(hour, 0)) for hour in range(24)]


def _by_channel(tickets: TicketQuerySet) -> list[tuple[str, int]]:
    rows = tickets.values_list("channel").annotate(count=Count("id")).order_by("-count")
    return [(str(Channel(channel).label), count) for channel, count in rows]


def _by_incident(tickets: TicketQuerySet) -> list[tuple[str, int]]:
    rows = (
        tickets.exclude(incident=None)
        .values_list("incident__number", "incident__title")
        .annotate(count=Count("id"))
        .order_by("-count")[:MOST_INCIDENTS]
    )
    return [(f"{number} {title}", count) for number, title, count in rows]


def _backlog(tickets: TicketQuerySet) -> list[tuple[str, int]]:
    now = timezone.now()
    bounds = [
        When(created_at__gte=now - timedelta(hours=hours), then=Value(at))
        for at, (hours, _label) in enumerate(AGES)
    ]
    rows = dict(
        tickets.annotate(age=Case(*bounds, default=Value(len(AGES)), output_field=IntegerField()))
        .values_list("age")
        .annotate(Count("id"))
    )
    labels = [*(label for _hours, label in AGES), OLDER]
    return [(str(label), rows.get(at, 0)) for at, label in enumerate(labels)]
