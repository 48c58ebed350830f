"""Resolving an incident's cohorts: one pass of set-based SQL from uses to exposures.

The times are computed once a *profile* (components used, region, part of life hit), because a
million subscriptions share few of them; see `incidents.cohorts.statements` for the rules.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.utils import timezone

from backoffice.customers.conditions import parse_condition
from backoffice.customers.models import Subscription
from incidents.cohorts import statements as sql
from incidents.models import Cohort, CohortMember, Exposure, Incident

EVERYONE = "Everyone affected"
# A bigint's bits; incidents of more components count in bit strings, which are slower.
BIGINT_BITS = 62


@dataclass(frozen=True)
class Resolution:
    """What a resolution found. `as_of` is UTC; `seconds` is how long it took.

    `counts` are the exposures by the cohort's primary key, in the cohorts' order.
    """

    as_of: datetime
    subscriptions: int
    customers: int
    seconds: float
    counts: dict[int, int] = field(default_factory=dict)


def resolve(incident: Incident, *, as_of: datetime | None = None) -> Resolution:
    """Find whom `incident` hit until `as_of` (now) and for how long, and store it as exposures.

    Of each subscription's uses, those of components with an outage in its region count, clipped
    to its life [started_at, ended_at) and to `as_of`; where outages overlap the worst wins. A
    subscription goes to the first cohort in order that it fits, and to none if it fits none.
    Whoever was hit for less than a second has no exposure. A maintenance's outages count like
    any other: policies decide about them. An incident without cohorts gets one for everyone.

    A subscription cancelled or expired with no end noted is not hit, for nobody knows until when
    it lived; one on trial is hit.

    A list's members: seconds given are taken as they are, hit or not (zero leaves the member
    out); without seconds the computed ones count. A member without subscription stands for all
    subscriptions of its customer that were hit; where seconds are given and none was hit, for
    all that were alive during the incident; where none was alive, for one exposure without
    subscription.

    Resolving again rewrites only what differs and removes who is no longer hit. Batches refer to
    customers, subscriptions and cohorts, never to exposures, so they stay as they are.
    One resolution of an incident runs at a time; a second waits.

    Raises:
        ConditionError: a cohort's condition cannot be read (any more).
    """
    begun = monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        lock_exposures(incident)
        cursor.execute("SET LOCAL work_mem = '256MB'")
        as_of = as_of or timezone.now()
        cohorts = list(incident.cohorts.all()) or [
            Cohort.objects.create(incident=incident, name=EVERYONE)
        ]
        with _found(cursor, incident, cohorts, as_of):
            _store(cursor, incident)
            counts = _count(cursor, cohorts)
            customers = _scalar(cursor, sql.COUNT_CUSTOMERS)
        milliseconds = int((monotonic() - begun) * 1000)
        figures = {
            "cohorts_resolved_at": as_of,
            "cohorts_resolving_ms": milliseconds,
            "affected_customers": customers,
        }
        Incident.objects.filter(pk=incident.pk).update(**figures)
    for name, value in figures.items():
        setattr(incident, name, value)
    return Resolution(as_of, sum(counts.values()), customers, monotonic() - begun, counts)


def lock_exposures(incident: Incident) -> None:
    """Keep others from writing the exposures of `incident` until the transaction ends.

    Advisory, not FOR UPDATE: the incident must be movable while a large resolution runs.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"cohorts of {incident.pk}"]
        )


@contextmanager
def _found(
    cursor: CursorWrapper, incident: Incident, cohorts: list[Cohort], as_of: datetime
) -> Iterator[None]:
    """Fill the temporary table `found` with the exposures as they should be."""
    with struck(cursor, incident, ranked(cohorts), as_of):
        ids: dict[str, Any] = {"cohorts": [cohort.pk for cohort in cohorts]}
        if CohortMember.objects.filter(cohort__in=cohorts).exists():
            cursor.execute(sql.LISTED, {"incident": incident.pk, "as_of": as_of, **ids})
            cursor.execute(sql.FOUND_WITH_LISTS, ids)
        else:
            cursor.execute(sql.FOUND, ids)
        yield
        cursor.execute(sql.DROP_FOUND)


@contextmanager
def struck(
    cursor: CursorWrapper,
    incident: Incident,
    subscriptions: QuerySet[Subscription, tuple[object, ...]],
    as_of: datetime,
) -> Iterator[None]:
    """The temporary view `struck`: who of `subscriptions` (see `ranked`) was hit, for how long.

    Their profiles are stored. Hold `lock_exposures`.
    """
    names: dict[str, Any] = {"incident": incident.pk, "as_of": as_of}
    cursor.execute(sql.OUTAGES, names)
    cursor.execute("SELECT DISTINCT component_id FROM hit_outage ORDER BY 1")
    components = [row[0] for row in cursor.fetchall()]
    width = max(len(components), 1)
    mask_type = "bigint" if width <= BIGINT_BITS else f"bit({width})"
    bits = sql.BITS.format(width=width, mask_type=mask_type)
    cursor.execute(bits, {"components": components})
    statement, params = subscriptions.query.sql_with_params()
    cursor.execute(sql.HITS.format(subscriptions=statement), params)
    cursor.execute(sql.PROFILES, names)
    cursor.execute(sql.STORE_PROFILES, names)
    cursor.execute(sql.NUMBER_PROFILES, names)
    cursor.execute(sql.STRUCK)
    yield
    cursor.execute(sql.DROP)


def ranked(cohorts: list[Cohort]) -> QuerySet[Subscription, tuple[object, ...]]:
    """The subscriptions, each with the place of the first condition it fits (None: fits none)."""
    places = [
        (parse_condition(cohort.condition, check_values=False), place)
        for place, cohort in enumerate(cohorts, start=1)
        if cohort.source == Cohort.Source.CONDITION
    ]
    whens, rest = [], Value(None, output_field=IntegerField())
    for condition, place in places:
        if not condition:  # fits everyone, so nobody gets further
            rest = Value(place, output_field=IntegerField())
            break
        whens.append(When(condition, then=Value(place)))
    place_of = Case(*whens, default=rest, output_field=IntegerField()) if whens else rest
    return (
        Subscription.objects.with_known_life()
        .annotate(place=place_of)
        .values_list("pk", "customer_id", "region", "started_at", "ended_at", "place")
    )


def _store(cursor: CursorWrapper, incident: Incident) -> None:
    names = {"incident": incident.pk}
    if Exposure.objects.filter(incident=incident).exists():
        cursor.execute(sql.REMOVE_STALE, names)
        cursor.execute(sql.REWRITE_DIFFERING, names)
        cursor.execute(sql.ADD_MISSING, names)
    else:
        cursor.execute(sql.ADD_ALL, names)
    cursor.execute(sql.REMOVE_STALE_PROFILES, names)


def _count(cursor: CursorWrapper, cohorts: list[Cohort]) -> dict[int, int]:
    cursor.execute("SELECT cohort_id, count(*) FROM found GROUP BY cohort_id")
    found = dict(cursor.fetchall())
    for cohort in cohorts:
        count = found.get(cohort.pk, 0)
        if cohort.exposure_count != count:
            Cohort.objects.filter(pk=cohort.pk).update(exposure_count=count)
            cohort.exposure_count = count
    return {cohort.pk: cohort.exposure_count for cohort in cohorts}


def _scalar(cursor: CursorWrapper, statement: str) -> int:
    cursor.execute(statement)
    return int(cursor.fetchone()[0])
