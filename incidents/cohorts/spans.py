"""An incident as one subscription lived it: when something that it uses was out of order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from backoffice.customers.models import Subscription
from incidents.models import Outage


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until before `end` (UTC) without a break; `major` of it wholly out of order."""

    start: datetime
    end: datetime
    major: timedelta

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def partial(self) -> timedelta:
        return self.length - self.major


def outages_of(subscription: Subscription) -> QuerySet[Outage]:
    """The outages that hit `subscription`: of what it uses, where it is, while it lived."""
    region = Q(region="") | Q(region=subscription.region)
    if not subscription.region:
        region = Q()
    lived = Q(ends_at=None) | Q(ends_at__gt=subscription.started_at)
    if subscription.ended_at is not None:
        lived &= Q(starts_at__lt=subscription.ended_at)
    return Outage.objects.filter(
        region, lived, component__uses__subscription=subscription
    ).select_related("incident", "component")


def lived_spans(
    subscription: Subscription, outages: Iterable[Outage], *, until: datetime
) -> list[Span]:
    """`outages` as `subscription` lived them until `until` (UTC), the earliest first.

    What overlaps or touches is one span; where impacts overlap the worst counts.
    """
    major = _united(_clipped(subscription, outages, until, only=Outage.Impact.MAJOR))
    spans = []
    for start, end in _united(_clipped(subscription, outages, until)):
        inside = [min(end, e) - max(start, s) for s, e in major if s < end and e > start]
        spans.append(Span(start, end, sum(inside, timedelta(0))))
    return spans


def _clipped(
    subscription: Subscription, outages: Iterable[Outage], until: datetime, only: str = ""
) -> list[tuple[datetime, datetime]]:
    times = []
    for outage in outages:
        start = max(outage.starts_at, subscription.started_at)
        end = min(outage.ends_at or until, until, subscription.ended_at or until)
        if start < end and only in {"", outage.impact}:
            times.append((start, end))
    return sorted(times)


def _united(times: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    united: list[tuple[datetime, datetime]] = []
    for start, end in times:
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        else:
            united.append((start, end))
    return united
