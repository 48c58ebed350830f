"""Whom each incident of a slice hit, of those who stand for the classes.

Incidents whose cohorts were resolved keep their exposures. For the others everyone is hit whose
subscription used a component that was out of order, in its region, and lived then: as
`incidents.cohorts.resolve` finds them for an incident with one cohort for everyone.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from compensation.pricing.shares import customers_shares, share_of
from incidents.models import Incident

# Ids of their own, below zero, so that they are nobody else's.
_COPY = """
INSERT INTO backtest_incidents_exposureprofile
SELECT * FROM incidents_exposureprofile WHERE incident_id = ANY (%(incidents)s::bigint[]);
INSERT INTO {target}
SELECT e.* FROM incidents_exposure e JOIN backtest_class k ON k.customer_id = e.customer_id
WHERE e.incident_id = ANY (%(incidents)s::bigint[])
"""
_HIT = """
CREATE TEMP TABLE backtest_hit AS
WITH outage AS (
    SELECT incident_id, component_id, starts_at, LEAST(ends_at, %(now)s) AS ends_at
    FROM incidents_outage
    WHERE incident_id = ANY (%(incidents)s::bigint[]) AND starts_at < %(now)s
), span AS (
    SELECT incident_id, min(starts_at) AS starts_at, max(ends_at) AS ends_at
    FROM outage GROUP BY incident_id
), down AS (
    SELECT DISTINCT incident_id, component_id FROM outage
), used AS (
    SELECT s.components, d.incident_id, array_agg(c ORDER BY c) AS here
    FROM backtest_set s CROSS JOIN LATERAL unnest(s.components) AS c
    JOIN down d ON d.component_id = c
    GROUP BY s.components, d.incident_id
)
SELECT p.subscription_id, p.customer_id, used.incident_id, used.here, p.region,
    GREATEST(p.started_at, span.starts_at) AS lived_from,
    CASE WHEN p.ended_at < span.ends_at THEN p.ended_at ELSE 'infinity' END AS lived_to
FROM backtest_class k JOIN backtest_person p ON p.customer_id = k.customer_id
JOIN used ON used.components = p.components
JOIN span ON span.incident_id = used.incident_id
WHERE p.is_known AND p.started_at < span.ends_at
    AND (p.ended_at IS NULL OR p.ended_at > span.starts_at);
ANALYZE backtest_hit;
CREATE TEMP TABLE backtest_profile AS
SELECT -row_number() OVER () AS id, d.*, major.seconds AS major_seconds,
    partly.seconds AS partial_seconds
FROM (SELECT DISTINCT incident_id, here, region, lived_from, lived_to FROM backtest_hit) AS d
CROSS JOIN LATERAL (
    SELECT COALESCE(range_agg(during) FILTER (WHERE is_major), '{{}}') AS major,
        COALESCE(range_agg(during) FILTER (WHERE NOT is_major), '{{}}') AS partly
    FROM (
        SELECT impact = 'major' AS is_major, tstzrange(starts_at, LEAST(ends_at, %(now)s))
            * tstzrange(d.lived_from, d.lived_to) AS during
        FROM incidents_outage o
        WHERE o.incident_id = d.incident_id AND o.component_id = ANY (d.here)
            AND o.starts_at < %(now)s AND (o.region = '' OR d.region = '' OR o.region = d.region)
    ) AS o
) AS down
CROSS JOIN LATERAL (
    SELECT COALESCE(floor(sum(extract(epoch FROM upper(r) - lower(r)))), 0)::bigint AS seconds
    FROM unnest(down.major) AS r
) AS major
CROSS JOIN LATERAL (
    SELECT COALESCE(floor(sum(extract(epoch FROM upper(r) - lower(r)))), 0)::bigint AS seconds
    FROM unnest(down.partly - down.major) AS r
) AS partly;
DELETE FROM backtest_profile WHERE major_seconds + partial_seconds = 0;
ANALYZE backtest_profile;
INSERT INTO backtest_incidents_exposureprofile
    (id, incident_id, components, region, lived_from, lived_to, major_seconds, partial_seconds,
     running_impact)
SELECT id, incident_id, here, region, lived_from, NULLIF(lived_to, 'infinity'), major_seconds,
    partial_seconds, ''
FROM backtest_profile;
INSERT INTO {target}
    (id, incident_id, cohort_id, customer_id, subscription_id, profile_id, major_seconds,
     partial_seconds)
SELECT -row_number() OVER (), incident_id, 0, h.customer_id, h.subscription_id, p.id,
    p.major_seconds, p.partial_seconds
FROM backtest_hit h JOIN backtest_profile p USING (incident_id, here, region, lived_from, lived_to);
DROP TABLE backtest_hit, backtest_profile
"""
_HIT_CUSTOMERS = """
SELECT incident_id, sum(size)::bigint FROM (
    SELECT DISTINCT incident_id, customer_id FROM {source}
) e JOIN backtest_class k ON k.customer_id = e.customer_id GROUP BY incident_id
"""
# Everyone who comes or goes, and the incidents between them: one pass for all of them.
_LIVING_CUSTOMERS = """
WITH life AS (
    SELECT unnest(range_agg(tstzrange(started_at, ended_at))) AS lived
    FROM customers_subscription
    WHERE ended_at IS NOT NULL OR status NOT IN ('canceled', 'incomplete_expired')
    GROUP BY customer_id
), event AS (
    SELECT lower(lived) AS at, 1 AS change, NULL::bigint AS incident FROM life
    UNION ALL SELECT upper(lived), -1, NULL FROM life WHERE upper(lived) IS NOT NULL
    UNION ALL SELECT started_at, 0, id FROM incidents_incident WHERE id = ANY (%s::bigint[])
)
SELECT incident, there FROM (
    SELECT incident, sum(change) OVER (ORDER BY at)::bigint AS there FROM event
) AS e WHERE incident IS NOT NULL
"""
_STAGE = "backtest_stage"
_SHOW = """
INSERT INTO incidents_exposure SELECT * FROM backtest_stage WHERE incident_id = %s
"""
_SHADOW = "backtest_incidents_exposure"


def find_exposures(
    resolved: Sequence[int], unresolved: Sequence[int], *, now: datetime, in_turn: bool
) -> None:
    """Fill the stand-ins of exposures and profiles; call it where the real ones are not hidden.

    `in_turn` keeps the exposures back: `show_incident` shows each incident's when its turn comes,
    for policies that count what a period's other incidents were. Outages still running end `now`.
    """
    target = _STAGE if in_turn else _SHADOW
    with connection.cursor() as cursor:
        if in_turn:
            cursor.execute(f"CREATE TEMP TABLE {_STAGE} AS TABLE incidents_exposure WITH NO DATA")
        if resolved:
            cursor.execute(_COPY.format(target=target), {"incidents": list(resolved)})
        if unresolved:
            values: dict[str, Any] = {"incidents": list(unresolved), "now": now}
            cursor.execute(_HIT.format(target=target), values)
        if in_turn:
            cursor.execute(f"CREATE INDEX ON {_STAGE} (incident_id)")
            cursor.execute(f"ANALYZE {_STAGE}")
        cursor.execute(f"ANALYZE {_SHADOW}; ANALYZE backtest_incidents_exposureprofile")


def show_incident(incident_id: int) -> None:
    """Its turn has come: later ones see its exposures, too. Call it where the real are hidden."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SHOW,
            [incident_id],
        )


def hide_incidents() -> None:
    """As before the first turn."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_SHADOW}")


def forget_exposures() -> None:
    """Empty what `find_exposures` filled."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_STAGE}")
        cursor.execute(f"TRUNCATE {_SHADOW}, backtest_incidents_exposureprofile")


def shares_hit(incidents: Sequence[Incident], *, in_turn: bool) -> dict[int, Decimal]:
    """The customers each incident hit, as a share of those there were, as pricing takes it.

    Call it where the real tables are not hidden.
    """
    shares = customers_shares([one.pk for one in incidents if one.cohorts_resolved_at is not None])
    unresolved = [one.pk for one in incidents if one.cohorts_resolved_at is None]
    with connection.cursor() as cursor:
        cursor.execute(_HIT_CUSTOMERS.format(source=_STAGE if in_turn else _SHADOW))
        hit = dict(cursor.fetchall())
        cursor.execute(_LIVING_CUSTOMERS, [unresolved])
        there = dict(cursor.fetchall())
    return shares | {pk: share_of(hit.get(pk, 0), there.get(pk, 0)) for pk in unresolved}
