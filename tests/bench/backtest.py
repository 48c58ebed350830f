"""Backtest two policies over 800 incidents and 100,000 customers, in four and a half years.

The bar is absolute: a minute, on two cores. There are four plans with 32 packages of the eleven
components, each with a price of its own, billed by the month or the year, in four regions; a tenth
of the customers left and half of them came within those years. One policy is capped, so that what
an incident gives depends on those before it.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from time import monotonic
from typing import Any

from django.db import connection

from backoffice.customers.models import Component
from compensation.backtesting.walking import plan, walk
from compensation.models import Policy, PolicyVersion, Rule
from incidents.models import Incident, Outage
from tests.bench.result import Result

SECONDS = 60.0
CUSTOMERS, INCIDENTS, COMPONENTS = 100_000, 800, 11
FIRST, LAST = datetime(2022, 3, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)

CUSTOMERS_SQL = """
INSERT INTO customers_customer (reference, name, email, language, country, segment, time_zone,
                                currency, stripe_customer_id, created_at, updated_at)
SELECT 'C-' || n, 'Customer ' || n, 'c' || n || '@example.com', 'en',
       (ARRAY['DE', 'AT', 'CH', 'US'])[1 + n %% 4], (ARRAY['', 'care'])[1 + n / 4 %% 2], 'UTC',
       'EUR', CASE WHEN n %% 200 <> 0 THEN 'cus_' || n END, now(), now()
FROM generate_series(1, %(size)s) AS n
"""
SUBSCRIPTIONS_SQL = """
INSERT INTO customers_subscription (reference, customer_id, plan, fee_minor, currency,
                                    interval_months, status, region, started_at, ended_at,
                                    stripe_subscription_id, updated_at)
SELECT 'S-' || id, id, (ARRAY['Enterprise', 'Business', 'Consumer', 'Free'])[1 + id %% 4],
       990 + 700 * (id %% 4) + 45 * (id / 7 %% 32), 'EUR',
       CASE WHEN id %% 10 = 0 THEN 12 ELSE 1 END,
       CASE WHEN id %% 10 = 3 THEN 'canceled' ELSE 'active' END,
       (ARRAY['', 'eu-central', 'us-east', 'asia'])[1 + id / 224 %% 4],
       CASE WHEN id %% 2 = 0 THEN timestamptz '2021-01-01Z'
            ELSE %(first)s + (id %% 1000) * interval '1 day' END,
       CASE WHEN id %% 10 = 3 THEN %(first)s + (1000 + id %% 600) * interval '1 day' END,
       'sub_' || id, now()
FROM customers_customer
"""
# A few packages, as plans have them.
USES_SQL = """
INSERT INTO customers_componentuse (subscription_id, component_id)
SELECT s.id, c.id FROM customers_subscription s
JOIN unnest(%(components)s::bigint[]) WITH ORDINALITY AS c (id, place)
    ON (s.id / 7 %% 32 * 67 + 5) & (1 << (c.place - 1)::int) <> 0
"""


def run(scale: float) -> Result:
    size, count = max(int(CUSTOMERS * scale), 500), max(int(INCIDENTS * scale), 20)
    tested, against = _world(size, count)
    todo = plan(tested, against, FIRST.date(), LAST.date())
    started = monotonic()
    result = walk(todo, lambda _done: None)
    seconds = monotonic() - started
    awards = sum(each[side]["awards"] for each in result["totals"] for side in ("ours", "theirs"))
    notes = f"{size:,} customers in {result['classes']:,} classes, {awards:,} awards"
    return Result(seconds, SECONDS, 1.0, notes=f"{result['incidents']} incidents, {notes}")


def _world(size: int, count: int) -> tuple[PolicyVersion, PolicyVersion]:
    components = [
        Component.objects.create(key=f"part-{n}", name=f"Part {n}") for n in range(COMPONENTS)
    ]
    _execute(CUSTOMERS_SQL, {"size": size})
    _execute(SUBSCRIPTIONS_SQL, {"first": FIRST})
    _execute(USES_SQL, {"components": [component.pk for component in components]})
    _incidents(components, count)
    for table in ("customers_customer", "customers_subscription", "customers_componentuse"):
        _execute(f"VACUUM ANALYZE {table}")
    return _version("new", Decimal(12), cap_percent=Decimal(50)), _version("old", Decimal(10))


def _incidents(components: list[Component], count: int) -> None:
    random = Random(11)  # noqa: S311 - the same world every time
    span = (LAST - FIRST).total_seconds()
    for n in range(count):
        start = FIRST + timedelta(seconds=int(span * (n + 0.5) / count))
        incident = Incident.objects.create(
            number=f"INC-{n}", title="Out of order", state=Incident.State.RESOLVED,
            started_at=start, resolved_at=start + timedelta(hours=12),
        )  # fmt: skip
        for component in random.sample(components, random.choice([1, 1, 1, 1, 1, 2, 2, 3, 8])):
            Outage.objects.create(
                incident=incident, component=component, starts_at=start,
                impact=random.choice(Outage.Impact.values),
                ends_at=start + timedelta(minutes=random.randrange(5, 700)),
            )  # fmt: skip


def _version(key: str, percent: Decimal, **terms: Any) -> PolicyVersion:
    version = PolicyVersion.objects.create(
        policy=Policy.objects.create(key=key, name=key), number=1,
        partial_weight=Decimal("0.5"), **terms,
    )  # fmt: skip
    table = [(plan, below) for plan in ("Enterprise", "Business", "Consumer") for below in
             ("99", "99.9", "99.95")]  # fmt: skip
    for position, (name, below) in enumerate(table, start=1):
        Rule.objects.create(
            version=version, position=position, plans=[name], uptime_to=Decimal(below),
            credit=Rule.Credit.PERCENT, credit_value=percent / (1 + position % 3),
        )  # fmt: skip
    return version


def _execute(statement: str, values: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
