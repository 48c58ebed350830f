"""Price 1,000,000 exposures under a policy of 12 rows.

The reference is the INSERT ... SELECT CASE a careful person would write by hand for exactly this
policy and month, into a table with the same constraints, indexes, foreign keys and triggers.
Both results are compared, row by row.
"""

from datetime import UTC, datetime
from decimal import Decimal

from compensation.models import Batch, Policy, PolicyVersion, Rule
from incidents.models import Cohort, Incident
from tests.bench._awards import execute, race
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
    lines = [
        f"WHEN s.plan = '{plan}' AND {_bounds(below, least)} THEN {position}"
        for position, (plan, below, least) in enumerate(_table(), start=1)
    ]
    by_hand = REFERENCE_SQL.format(cases="\n".join(lines))
    return race(batch, by_hand, values, columns=COLUMNS, bar=BAR, size=size)


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
    execute(CUSTOMERS_SQL, {"size": size})
    execute(SUBSCRIPTIONS_SQL, {"plans": PLANS})
    execute(EXPOSURES_SQL, {"incident": incident.pk, "cohort": cohort.pk})
    for table in ("customers_customer", "customers_subscription", "incidents_exposure"):
        execute(f"VACUUM ANALYZE {table}")
    return Batch.objects.create(number="1", incident=incident, version=version)
