"""Price 1,000,000 exposures under a policy of 12 rows.

The reference is the INSERT ... SELECT CASE a careful person would write by hand for exactly this
policy and month, into a table with the same constraints, indexes, foreign keys and triggers.
Both results are compared, row by row.
"""

from datetime import UTC, datetime
from decimal import Decimal
from time import monotonic
from typing import Any

from django.db import connection, transaction

from compensation.models import Award, Batch, Policy, PolicyVersion, Rule
from compensation.pricing import Priced, price
from incidents.models import Cohort, Incident
from tests.bench.result import Result

BAR = 1.5
EXPOSURES = 1_000_000
START = datetime(2026, 9, 14, 8, tzinfo=UTC)
PLANS = ["Enterprise", "Business", "Consumer", "Free"]
TIERS = [("95", None, 50), ("99", "95", 25), ("99.9", "99", 10)]

CUSTOMERS_SQL = """
INSERT INTO customers_customer (reference, name, email, language, country, segment, time_zone,
                                currency, stripe_customer_id, created_at, updated_at)
SELECT 'C-' || n, 'Customer ' || n, 'c' || n || '@example.com', 'en',
       (ARRAY['DE', 'AT', 'CH', 'US'])[1 + n %% 4], '', 'UTC', 'EUR',
       CASE WHEN n %% 200 <> 0 THEN 'cus_' || n END, now(), now()
FROM generate_series(1, %(size)s) AS n
"""
SUBSCRIPTIONS_SQL = """
INSERT INTO customers_subscription (reference, customer_id, plan, fee_minor, currency,
                                    interval_months, status, region, started_at,
                                    stripe_subscription_id, updated_at)
SELECT 'S-' || id, id, (%(plans)s::text[])[1 + id %% 4], 990 + id %% 49011, 'EUR',
       CASE WHEN id %% 10 = 0 THEN 12 ELSE 1 END,
       CASE WHEN id %% 100 = 0 THEN 'canceled' ELSE 'active' END, '', timestamptz '2024-01-01Z',
       'sub_' || id, now()
FROM customers_customer
"""
EXPOSURES_SQL = """
INSERT INTO incidents_exposure (incident_id, cohort_id, customer_id, subscription_id,
                                major_seconds, partial_seconds)
SELECT %(incident)s, %(cohort)s, customer_id, id, (id * 7919) %% 200000, (id * 104729) %% 3000
FROM customers_subscription
"""
REFERENCE_TABLE = """
CREATE TABLE reference_award (LIKE compensation_award INCLUDING ALL);
DO $$
DECLARE key record;
BEGIN
    FOR key IN SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE contype = 'f' AND conrelid = 'compensation_award'::regclass
    LOOP
        EXECUTE format('ALTER TABLE reference_award ADD %s', key.definition);
    END LOOP;
    FOR key IN SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
        WHERE tgrelid = 'compensation_award'::regclass AND NOT tgisinternal
    LOOP
        EXECUTE replace(replace(key.definition, ' ON public.compensation_award ',
            ' ON reference_award '), ' ON compensation_award ', ' ON reference_award ');
    END LOOP;
END $$
"""
# 30 days; a partial second counts half. In the policy's order, each plan's tiers together.
REFERENCE_SQL = """
INSERT INTO reference_award (
    source, batch_id, incident_id, cohort_id, customer_id, subscription_id, benefit, state,
    amount_minor, currency, days, rules, plan, country, fee_minor, interval_months, major_seconds,
    partial_seconds, period_start, period_end, raw_amount, given_minor, exclusion,
    exclusion_reason, idempotency_key, parameters_hash, attempt, stripe_id, error_code,
    error_message, created_at, destination
)
SELECT 'batch', %(batch)s, %(incident)s, cohort_id, customer_id, subscription_id, 'credit',
       CASE WHEN exclusion = '' THEN 'proposed' ELSE 'excluded' END, amount, currency, 0,
       ARRAY[rule]::smallint[], plan, country, fee_minor, interval_months, major_seconds,
       partial_seconds, %(period_start)s, %(period_end)s, raw, 0, exclusion, '', '', '', 0, '', '',
       '', now(), ''
FROM (
    SELECT *, round(raw) AS amount FROM (
        SELECT *, fee_minor * CASE rule WHEN 1 THEN 60 WHEN 2 THEN 30 WHEN 3 THEN 15
            WHEN 4 THEN 50 WHEN 5 THEN 25 WHEN 6 THEN 10 WHEN 7 THEN 40 WHEN 8 THEN 20
            WHEN 9 THEN 5 WHEN 10 THEN 30 WHEN 11 THEN 10 WHEN 12 THEN 1 END
            / (interval_months * 100)::numeric AS raw
        FROM (
            SELECT e.cohort_id, e.customer_id, e.subscription_id, e.major_seconds,
                e.partial_seconds, s.plan, s.fee_minor, s.interval_months, s.currency, c.country,
                CASE WHEN s.status = 'canceled' THEN 'cancelled'
                    WHEN c.stripe_customer_id IS NULL THEN 'no_stripe_customer'
                    WHEN c.currency NOT IN ('', s.currency) THEN 'other_currency'
                    ELSE '' END AS exclusion,
                CASE
                {cases}
                END AS rule
            FROM incidents_exposure e
            JOIN customers_subscription s ON s.id = e.subscription_id
            JOIN customers_customer c ON c.id = e.customer_id
            WHERE e.incident_id = %(incident)s
        ) fitted WHERE rule IS NOT NULL
    ) valued OFFSET 0
) rounded WHERE amount > 0
"""
PERCENT = [60, 30, 15, 50, 25, 10, 40, 20, 5, 30, 10, 1]
DOWN = "e.major_seconds * 1000 + e.partial_seconds * 500"
COMPARED = """
SELECT {columns} FROM compensation_award WHERE batch_id = %(batch)s EXCEPT
SELECT {columns} FROM reference_award
"""
COLUMNS = """customer_id, subscription_id, benefit, state, amount_minor, currency, rules, plan,
country, fee_minor, interval_months, major_seconds, partial_seconds, period_start, period_end,
raw_amount, exclusion"""


def run(scale: float) -> Result:
    size = max(int(EXPOSURES * scale), 1000)
    batch = _world(size)
    values = {
        "batch": batch.pk,
        "incident": batch.incident_id,
        "period_start": datetime(2026, 9, 1, tzinfo=UTC),
        "period_end": datetime(2026, 10, 1, tzinfo=UTC),
    }
    _execute(REFERENCE_TABLE)
    # Twice each, the second time in the other order; the better one counts.
    ours, priced = _ours(batch)
    reference = _reference(values)
    _compare(values, priced)
    _execute("TRUNCATE reference_award")
    reference = min(reference, _reference(values))
    Award.objects.all()._raw_delete("default")
    _execute("VACUUM compensation_award")
    ours = min(ours, _ours(batch)[0])
    return Result(ours, reference, BAR, notes=f"{size:,} exposures, {priced.awards:,} awards")


def _ours(batch: Batch) -> tuple[float, Priced]:
    started = monotonic()
    priced = price(batch)
    return monotonic() - started, priced


def _reference(values: dict[str, Any]) -> float:
    lines = [
        f"WHEN s.plan = '{plan}' AND {_bounds(below, least)} THEN {position}"
        for position, (plan, below, least) in enumerate(_table(), start=1)
    ]
    started = monotonic()
    with transaction.atomic():
        _execute(REFERENCE_SQL.format(cases="\n".join(lines)), values)
    return monotonic() - started


def _table() -> list[tuple[str, str, str | None]]:
    return [(plan, below, least) for plan in PLANS for below, least, _percent in TIERS]


def _bounds(below: str, least: str | None) -> str:
    allowed = {"95": 129_600_000, "99": 25_920_000, "99.9": 2_592_000}
    lower = f"{DOWN} > {allowed[below]}"
    return lower if least is None else f"{lower} AND {DOWN} <= {allowed[least]}"


def _world(size: int) -> Batch:
    version = PolicyVersion.objects.create(
        policy=Policy.objects.create(key="bench", name="Bench"),
        number=1,
        partial_weight=Decimal("0.5"),
    )
    for position, (plan, below, least) in enumerate(_table(), start=1):
        Rule.objects.create(
            version=version,
            position=position,
            plans=[plan],
            uptime_to=Decimal(below),
            uptime_from=None if least is None else Decimal(least),
            credit=Rule.Credit.PERCENT,
            credit_value=Decimal(PERCENT[position - 1]),
        )
    incident = Incident.objects.create(number="INC-1", started_at=START)
    cohort = Cohort.objects.create(incident=incident, name="All")
    _execute(CUSTOMERS_SQL, {"size": size})
    _execute(SUBSCRIPTIONS_SQL, {"plans": PLANS})
    _execute(EXPOSURES_SQL, {"incident": incident.pk, "cohort": cohort.pk})
    for table in ("customers_customer", "customers_subscription", "incidents_exposure"):
        _execute(f"VACUUM ANALYZE {table}")
    return Batch.objects.create(number="1", incident=incident, version=version)


def _compare(values: dict[str, Any], priced: Priced) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM reference_award")
        (expected,) = cursor.fetchone()
        if expected != priced.awards + priced.excluded:
            raise AssertionError(f"{expected} awards by hand, {priced} by us.")
        cursor.execute(COMPARED.format(columns=COLUMNS) + " LIMIT 1", values)
        if (other := cursor.fetchone()) is not None:
            raise AssertionError(f"Not so by hand: {other}")


def _execute(statement: str, values: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
