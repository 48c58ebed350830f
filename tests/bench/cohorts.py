"""Resolve a cohort: 1,000,000 customers, 3,000,000 uses, 20 outages.

The reference is the SQL a careful person would write by hand for exactly this incident, into
tables with the same constraints and indexes. Both results are compared, row by row.
"""

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from django.db import connection, transaction

from backoffice.customers.models import Component
from incidents.cohorts import add_cohort, resolve
from incidents.models import Incident, Outage
from tests.bench.result import Result

BAR = 1.5
CUSTOMERS = 1_000_000
START = datetime(2026, 10, 14, 8, tzinfo=UTC)
NOW = START + timedelta(hours=10)
COMPONENTS = 30
REGIONS = ["", "eu-central", "eu-west", "us-east", "us-west", "asia"]

CUSTOMERS_SQL = """
INSERT INTO customers_customer (reference, name, email, language, country, segment, time_zone,
                                currency, created_at, updated_at)
SELECT 'C-' || n, 'Customer ' || n, 'c' || n || '@example.com', 'en',
       (ARRAY['DE', 'AT', 'CH', 'US'])[1 + n %% 4], '', 'UTC', 'EUR', now(), now()
FROM generate_series(1, %(customers)s) AS n
"""
# Of a hundred, one starts and one ends while it happens, and one was cancelled, nobody knows when.
SUBSCRIPTIONS_SQL = """
INSERT INTO customers_subscription (reference, customer_id, plan, fee_minor, currency,
                                    interval_months, status, region, started_at, ended_at,
                                    updated_at)
SELECT 'S-' || id, id, (ARRAY['Business', 'Consumer', 'Consumer'])[1 + id %% 3], 4990, 'EUR', 1,
       CASE WHEN id %% 100 IN (7, 8) THEN 'canceled' ELSE 'active' END,
       (%(regions)s::text[])[1 + (id / 7) %% 6],
       CASE WHEN id %% 100 = 6 THEN %(start)s + (id %% 600) * interval '1 minute'
            ELSE timestamptz '2024-01-01Z' END,
       CASE WHEN id %% 100 = 7 THEN %(start)s + (id %% 600) * interval '1 minute' END, now()
FROM customers_customer
"""
USES_SQL = """
INSERT INTO customers_componentuse (subscription_id, component_id)
SELECT s.id, (%(components)s::bigint[])[1 + (s.id %% 10 + step * (1 + s.id / 10 %% 7)) %% %(count)s]
FROM customers_subscription s CROSS JOIN generate_series(1, 3) AS step
"""

REFERENCE_TABLES = """
CREATE TABLE reference_exposureprofile (LIKE incidents_exposureprofile INCLUDING ALL);
CREATE TABLE reference_exposure (LIKE incidents_exposure INCLUDING ALL);
DO $$
DECLARE key record;
BEGIN
    FOR key IN SELECT conrelid::regclass::text AS name, pg_get_constraintdef(oid) AS definition
        FROM pg_constraint WHERE contype = 'f' AND conrelid IN
            ('incidents_exposure'::regclass, 'incidents_exposureprofile'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %I ADD %s',
                       replace(key.name, 'incidents_', 'reference_'), key.definition);
    END LOOP;
END $$
"""
REFERENCE_SQL = """
WITH outage AS (
    SELECT component_id, region, impact,
           tstzrange(starts_at, LEAST(ends_at, %(now)s)) AS during, ends_at IS NULL AS goes_on
    FROM incidents_outage WHERE incident_id = %(incident)s
), hit AS MATERIALIZED (
    SELECT s.id AS subscription_id, s.customer_id, s.region,
           CASE WHEN s.plan = 'Business' AND c.country = 'DE' THEN %(business)s
                WHEN s.plan = 'Consumer' THEN %(consumer)s
                ELSE %(rest)s END AS cohort_id,
           array_agg(u.component_id ORDER BY u.component_id) AS components,
           GREATEST(s.started_at, %(start)s) AS lived_from,
           COALESCE(s.ended_at, 'infinity') AS lived_to
    FROM customers_componentuse u
    JOIN customers_subscription s ON s.id = u.subscription_id
    JOIN customers_customer c ON c.id = s.customer_id
    WHERE u.component_id IN (SELECT component_id FROM outage)
      AND s.started_at < %(now)s
      AND (s.ended_at > %(start)s OR s.ended_at IS NULL AND s.status <> 'canceled')
    GROUP BY s.id, c.id
), profile AS (
    SELECT p.*, d.*
    FROM (SELECT DISTINCT components, region, lived_from, lived_to FROM hit) AS p
    CROSS JOIN LATERAL (
        SELECT COALESCE(range_agg(during) FILTER (WHERE impact = 'major'), '{}')
                   * tstzmultirange(tstzrange(lived_from, lived_to)) AS major,
               COALESCE(range_agg(during) FILTER (WHERE impact = 'partial'), '{}')
                   * tstzmultirange(tstzrange(lived_from, lived_to)) AS partly,
               CASE WHEN lived_to <= %(now)s THEN NULL
                    ELSE min(impact) FILTER (WHERE goes_on) END AS running
        FROM outage o
        WHERE o.component_id = ANY (p.components)
          AND (o.region = '' OR p.region = '' OR o.region = p.region)
    ) AS d
), timed AS (
    SELECT components, region, lived_from, lived_to, running,
           (SELECT COALESCE(sum(extract(epoch FROM upper(r) - lower(r))), 0)::bigint
            FROM unnest(major) AS r) AS major_seconds,
           (SELECT COALESCE(sum(extract(epoch FROM upper(r) - lower(r))), 0)::bigint
            FROM unnest(partly - major) AS r) AS partial_seconds
    FROM profile
), stored AS (
    INSERT INTO reference_exposureprofile (incident_id, components, region, lived_from, lived_to,
                                   major_seconds, partial_seconds, running_impact)
    SELECT %(incident)s, components, region, lived_from, NULLIF(lived_to, 'infinity'),
           major_seconds, partial_seconds, COALESCE(running, '')
    FROM timed WHERE major_seconds + partial_seconds > 0
    RETURNING *
)
INSERT INTO reference_exposure (incident_id, cohort_id, customer_id, subscription_id, profile_id,
                                major_seconds, partial_seconds)
SELECT %(incident)s, h.cohort_id, h.customer_id, h.subscription_id, p.id,
       p.major_seconds, p.partial_seconds
FROM hit h
JOIN stored p ON p.components = h.components AND p.region = h.region
 AND p.lived_from = h.lived_from AND COALESCE(p.lived_to, 'infinity') = h.lived_to
"""
COMPARE_SQL = """
WITH ours AS (
    SELECT cohort_id, customer_id, subscription_id, e.major_seconds, e.partial_seconds,
           p.running_impact
    FROM incidents_exposure e JOIN incidents_exposureprofile p ON p.id = e.profile_id
), reference AS (
    SELECT cohort_id, customer_id, subscription_id, e.major_seconds, e.partial_seconds,
           p.running_impact
    FROM reference_exposure e JOIN reference_exposureprofile p ON p.id = e.profile_id
)
SELECT (SELECT count(*) FROM ours), (SELECT count(*) FROM reference),
       (SELECT count(*) FROM (SELECT * FROM ours EXCEPT SELECT * FROM reference) AS d),
       (SELECT count(*) FROM incidents_exposureprofile),
       (SELECT count(*) FROM reference_exposureprofile)
"""


def run(scale: float) -> Result:
    incident = _make_data(max(int(CUSTOMERS * scale), 100))
    reference = _time_reference(incident)
    _settle()
    begun = monotonic()
    resolve(incident, as_of=NOW)
    ours = monotonic() - begun
    rows = _compare()
    begun = monotonic()
    resolve(incident, as_of=NOW)
    again = monotonic() - begun
    return Result(
        ours, reference, BAR,
        notes=f"{rows:,} exposures, equal; resolved again without a change in {again:.1f} s",
    )  # fmt: skip


def _make_data(customers: int) -> Incident:
    components = Component.objects.bulk_create(
        Component(key=f"component-{n}", name=f"Component {n}") for n in range(COMPONENTS)
    )
    names: dict[str, Any] = {
        "customers": customers,
        "start": START,
        "regions": REGIONS,
        "components": [component.pk for component in components],
        "count": COMPONENTS,
    }
    with connection.cursor() as cursor:
        cursor.execute(CUSTOMERS_SQL, names)
        cursor.execute(SUBSCRIPTIONS_SQL, names)
        cursor.execute(USES_SQL, names)
    incident = Incident.objects.create(number="INC-1", title="Bench", started_at=START)
    Outage.objects.bulk_create(_outages(incident, components))
    for name, condition in (
        ("Business", 'plan = "Business" and customer.country = "DE"'),
        ("Consumer", 'plan = "Consumer"'),
        ("Rest", ""),
    ):
        add_cohort(incident=incident, name=name, condition=condition)
    return incident


def _outages(incident: Incident, components: list[Component]) -> list[Outage]:
    """Twenty: overlapping, major and partial, here and everywhere, every fifth still going on."""
    return [
        Outage(
            incident=incident,
            component=components[n * 7 % COMPONENTS],
            impact="major" if n % 3 else "partial",
            region=REGIONS[n % len(REGIONS)],
            starts_at=START + timedelta(minutes=13 * n),
            ends_at=None if n % 5 == 0 else START + timedelta(minutes=13 * n + 90),
        )
        for n in range(20)
    ]


def _settle() -> None:
    """Statistics and a checkpoint, so that neither side pays for what came before."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _time_reference(incident: Incident) -> float:
    cohorts = list(incident.cohorts.order_by("position").values_list("pk", flat=True))
    names = dict(zip(("business", "consumer", "rest"), cohorts, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(REFERENCE_TABLES)
        _settle()
        begun = monotonic()
        with transaction.atomic():
            cursor.execute("SET LOCAL work_mem = '256MB'")
            cursor.execute(
                REFERENCE_SQL, {**names, "incident": incident.pk, "start": START, "now": NOW}
            )
        return monotonic() - begun


def _compare() -> int:
    """How many exposures there are; both sides must agree on each."""
    with connection.cursor() as cursor:
        cursor.execute(COMPARE_SQL)
        ours, reference, differing, profiles, reference_exposureprofiles = cursor.fetchone()
    if differing or ours != reference or not ours:
        raise AssertionError(f"{ours} and {reference} exposures, {differing} differ.")
    if profiles != reference_exposureprofiles:
        raise AssertionError(f"{profiles} and {reference_exposureprofiles} profiles.")
    return int(ours)
