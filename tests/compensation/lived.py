"""Outages as one subscription lived them, second by second, in exact fractions.

Shares no code with `compensation.pricing`; the words are those of `PolicyVersion` and `Outage`.
Where these leave a choice, this is what we hold them to:

- An outage that the policy cannot count (a partial one weighed with nothing) neither joins nor
  lengthens others. One that weighs nothing by its share of requests still is an outage, of no
  downtime.
- Outages count up to where the exposures were counted, and within the subscription's life.
- Seconds stated on a list are one outage with the incident's beginning as its place in the order
  of time; since nobody knows when they were, they never melt into others. All of its requests
  failed.
- Several incidents of a period are one line of time: outages that touch are one outage, and an
  instant counts with the largest weight of any of them.
- The share of customers is that of customers exposed among those with a subscription alive when
  the incident began (cancelled with no end noted is not alive); at most 1, half up to six
  decimals, and never nothing.
"""

from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from backoffice.customers.models import Subscription

MICROSECOND = timedelta(microseconds=1)


class Lived(NamedTuple):
    """One outage; `length` and `weighed` in milliseconds."""

    starts_at: datetime
    length: Fraction
    weighed: Fraction


class Piece(NamedTuple):
    """A component's outage within a life."""

    starts_at: datetime
    ends_at: datetime
    weight: Fraction


def lived(version, exposures, shares):
    """The outages behind `exposures` of one owner, in order of time, however short.

    `shares` are those of the exposures' incidents, by primary key.
    """
    pieces = [
        piece
        for exposure in exposures if exposure.profile is not None
        for piece in hit(version, exposure, shares)
    ]  # fmt: skip
    stated = [
        outage
        for exposure in exposures if exposure.profile is None
        for outage in said(version, exposure, shares)
    ]  # fmt: skip
    return sorted([*merged(pieces), *stated], key=lambda outage: outage.starts_at)


def hit(version, exposure, shares):
    profile, incident = exposure.profile, exposure.incident
    for outage in incident.outages.all():
        weight = Fraction(version.partial_weight) if outage.impact == "partial" else Fraction(1)
        if outage.component_id not in profile.components or weight == 0:
            continue
        if outage.region and profile.region and outage.region != profile.region:
            continue
        ends = (outage.ends_at, profile.lived_to, incident.cohorts_resolved_at)
        starts_at = max(outage.starts_at, profile.lived_from)
        ends_at = min(end for end in ends if end is not None)
        if version.affected_share == "requests" and outage.affected_percent is not None:
            weight *= Fraction(outage.affected_percent) / 100
        if version.affected_share == "customers":
            weight *= shares[incident.pk]
        if starts_at < ends_at:
            yield Piece(starts_at, ends_at, weight)


def said(version, exposure, shares):
    major, partial = exposure.major_seconds * 1000, exposure.partial_seconds * 1000
    weight = Fraction(version.partial_weight)
    if weight == 0 and major == 0 and partial:
        return
    length = major + (partial if weight else 0)
    weighed = major + partial * weight
    if version.affected_share == "customers":
        weighed *= shares[exposure.incident_id]
    yield Lived(exposure.incident.started_at, Fraction(length), Fraction(weighed))


def merged(pieces):
    """Unbroken spans; each instant with the largest weight there."""
    cuts = sorted({at for piece in pieces for at in piece[:2]})
    found, follows = [], None
    for start, end in pairwise(cuts):
        weights = [p.weight for p in pieces if p.starts_at <= start and end <= p.ends_at]
        if not weights:
            continue
        length = Fraction((end - start) // MICROSECOND, 1000)
        if follows == start:
            last = found.pop()
            found.append(
                Lived(last.starts_at, last.length + length, last.weighed + length * max(weights))
            )
        else:
            found.append(Lived(start, length, length * max(weights)))
        follows = end
    return found


def share_of_customers(incident):
    """Hit by `incident`, of those with a live subscription when it began."""
    exposed = {exposure.customer_id for exposure in incident.exposures.all()}
    at = incident.started_at
    alive = {
        each.customer_id for each in Subscription.objects.all()
        if each.started_at <= at and (
            each.ended_at > at if each.ended_at is not None
            else each.status not in {"canceled", "incomplete_expired"}
        )
    }  # fmt: skip
    if len(exposed) >= len(alive):
        return Fraction(1)
    millionths = (2 * 10**6 * len(exposed) + len(alive)) // (2 * len(alive))
    return Fraction(max(millionths, 1), 10**6)


def long_enough(version, outage):
    if version.shortest_minutes is None:
        return True
    shortest = Fraction(version.shortest_minutes) * 60_000
    return outage.length > shortest or (
        outage.length == shortest and not version.is_shortest_exclusive
    )


def counted(version, outage):
    """The weighed milliseconds of one outage, in whole intervals."""
    if version.interval_minutes is None:
        return outage.weighed
    interval = Fraction(version.interval_minutes) * 60_000
    whole, rest = divmod(outage.weighed, interval)
    up = {
        "completed": False,
        "started": rest > 0,
        "nearest": 2 * rest >= interval,
    }[version.interval_rounding]
    return (whole + up) * interval
