"""Who could be hit, in classes: a hundred thousand customers live through far fewer fates.

Two customers whose subscriptions agree in all that pricing reads (fee, currency, what they use,
whose conditions they fit, when they began and ended as seen from the outages ...) are owed the
same in every incident, under caps and the totals of a period too. So one of them is priced, and
counts for all; exactly so, for whatever could matter tells two classes apart.

`backtest_person` has a row a subscription (and one a customer who has none), made once. For each
slice of time `backtest_member` tells each customer's class by a key, and `backtest_class` has the
classes: the customer who stands for it, and how many it holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from backoffice.customers.conditions import parse_condition
from backoffice.customers.models import Subscription
from compensation.models import PolicyVersion, Rule

_READ = (
    "pk", "customer_id", "started_at", "ended_at", "status", "region", "fee_minor",
    "interval_months", "currency", "stripe_subscription_id", "period_start", "period_end",
    "customer__currency", "customer__stripe_customer_id",
)  # fmt: skip

_YES, _NO = Value(value=True), Value(value=False)
# Of a billing period's moments only a policy that bills by them wants to know. Who was cancelled
# may have fitted other conditions while they lived: where one asks for the status they stand for
# themselves.
_PERSONS = """
CREATE TEMP TABLE backtest_person AS
WITH used AS (
    SELECT subscription_id, array_agg(component_id ORDER BY component_id) AS components
    FROM customers_componentuse WHERE component_id = ANY (%s::bigint[]) GROUP BY subscription_id
), told ({names}) AS ({subscriptions})
SELECT t.pk AS subscription_id, t.customer_id, t.started_at, t.ended_at, t.region,
    t.status NOT IN ('canceled', 'incomplete_expired') OR t.ended_at IS NOT NULL AS is_known,
    row_number() OVER (PARTITION BY t.customer_id ORDER BY t.pk) AS place,
    used.components,
    hash_record_extended(ROW(
        t.status, t.region, t.fee_minor, t.interval_months, t.currency,
        COALESCE(t.stripe_subscription_id, '') = '', t.customer__currency,
        COALESCE(t.customer__stripe_customer_id, '') = '',
        CASE WHEN %s THEN t.period_start END, CASE WHEN %s THEN t.period_end END,
        CASE WHEN %s AND t.status = 'canceled' THEN t.pk END, {bits}
    ), 0) AS base
FROM told t LEFT JOIN used ON used.subscription_id = t.pk
UNION ALL
SELECT DISTINCT NULL::bigint, e.customer_id, '-infinity'::timestamptz, NULL::timestamptz, '', FALSE,
    0::bigint, NULL::bigint[], e.customer_id
FROM incidents_exposure e WHERE e.subscription_id IS NULL AND e.incident_id = ANY (%s::bigint[])
"""
_SETS = """
CREATE TEMP TABLE backtest_set AS
SELECT row_number() OVER () AS id, components FROM (
    SELECT DISTINCT components FROM backtest_person WHERE components IS NOT NULL
) AS d;
ANALYZE backtest_person;
ANALYZE backtest_set
"""

# Resolved incidents have their exposures: what these say is part of the key. In the others
# whoever used a component and lived then is hit, so the components and the life are.
_MEMBERS = """
CREATE TEMP TABLE backtest_member AS
WITH set_here AS (
    SELECT components, hash_array_extended(here, 0) AS hash FROM (
        SELECT components, ARRAY(
            SELECT c FROM unnest(components) AS c WHERE c = ANY (%(components)s::bigint[])
        ) AS here FROM backtest_set
    ) AS s WHERE here <> '{}'
), told AS (
    SELECT p.customer_id, p.place, bit_xor(hash_record_extended(ROW(
        e.incident_id, COALESCE(e.profile_id, 0), e.major_seconds, e.partial_seconds
    ), 0)) AS told
    FROM incidents_exposure e JOIN backtest_person p ON p.customer_id = e.customer_id
        AND p.subscription_id IS NOT DISTINCT FROM e.subscription_id
    WHERE e.incident_id = ANY (%(resolved)s::bigint[]) GROUP BY p.customer_id, p.place
), placed AS (
    SELECT p.*, CASE WHEN is_known AND started_at < %(ends)s
            AND (ended_at IS NULL OR ended_at > %(begins)s) THEN s.hash END AS used,
        width_bucket(started_at, %(points)s::timestamptz[]) AS began,
        COALESCE(width_bucket(ended_at, %(points)s::timestamptz[]), %(last)s) AS ended
    FROM backtest_person p LEFT JOIN set_here s ON s.components = p.components
)
SELECT placed.customer_id, bit_xor(hash_record_extended(ROW(
    base, placed.place, used, told, began, ended,
    CASE WHEN (%(within)s::boolean[])[began + 1] THEN started_at END,
    CASE WHEN (%(within)s::boolean[])[ended + 1] THEN ended_at END
), 0)) AS key
FROM placed LEFT JOIN told ON told.customer_id = placed.customer_id AND told.place = placed.place
WHERE used IS NOT NULL OR told IS NOT NULL
GROUP BY placed.customer_id;
CREATE TEMP TABLE backtest_class AS
SELECT key, min(customer_id) AS customer_id, count(*) AS size FROM backtest_member GROUP BY key;
ANALYZE backtest_class
"""
_STAND_FOR_THEM = """
INSERT INTO backtest_customers_customer
SELECT c.* FROM customers_customer c JOIN backtest_class k ON k.customer_id = c.id;
INSERT INTO backtest_customers_subscription
SELECT s.* FROM customers_subscription s JOIN backtest_class k ON k.customer_id = s.customer_id;
ANALYZE backtest_customers_customer;
ANALYZE backtest_customers_subscription
"""


@dataclass(frozen=True)
class Slice:
    """What of a stretch of time tells customers apart: all of UTC.

    `spans` are the outages; `moments` are other points from which a life looks different.
    `components` are those out of order in the incidents that were never `resolved`.
    """

    spans: Sequence[tuple[datetime, datetime]]
    moments: Sequence[datetime]
    components: Sequence[int]
    resolved: Sequence[int]


def tell_persons(
    versions: Sequence[PolicyVersion], components: Sequence[int], resolved: Sequence[int]
) -> None:
    """Make `backtest_person` and `backtest_set`.

    Raises:
        ConditionError: a row's further condition cannot be understood.
    """
    rules = [rule for version in versions for rule in version.rules.all()]
    told = _told(rules)
    sql, params = told.query.sql_with_params()
    bits = [f"bit_{n}" for n in range(len(rules))]
    bills = any(version.fee_period == PolicyVersion.FeePeriod.BILLING for version in versions)
    asks = any("status" in rule.condition for rule in rules)
    statement = _PERSONS.format(
        names=", ".join([*_READ, *bits]),
        subscriptions=sql,
        bits=", ".join(f"t.{bit}" for bit in bits) or "NULL",
    )
    with connection.cursor() as cursor:
        values = (list(components), *params, bills, bills, asks, list(resolved))
        cursor.execute(statement, values)
        cursor.execute(_SETS)


def _told(rules: Sequence[Rule]) -> QuerySet[Subscription, Any]:
    """All subscriptions, with a bit for each rule whose conditions on them they fit."""
    bits = {
        f"bit_{n}": Case(When(_asks(rule), then=_YES), default=_NO, output_field=BooleanField())
        for n, rule in enumerate(rules)
    }
    return Subscription.objects.order_by().annotate(**bits).values_list(*_READ, *bits)


def _asks(rule: Rule) -> Q:
    """What a row asks of a subscription, but for its status and how long it has been with us."""
    asked = Q(pk__isnull=False)
    wanted = {
        "plan__in": rule.plans,
        "customer__country__in": rule.countries,
        "customer__segment__in": rule.segments,
    }
    for lookup, values in wanted.items():
        if values:
            asked &= Q(**{lookup: values})
    return asked & parse_condition(rule.condition, check_values=False)


def tell_classes(slice_: Slice) -> int:
    """Make `backtest_member` and `backtest_class`, and those who stand for the classes.

    Returns how many classes there are.
    """
    points = sorted({at for span in slice_.spans for at in span} | set(slice_.moments))
    never = datetime.max.replace(tzinfo=UTC)
    values: dict[str, Any] = {
        "components": list(slice_.components),
        "resolved": list(slice_.resolved),
        "begins": min((start for start, _end in slice_.spans), default=never),
        "ends": max((end for _start, end in slice_.spans), default=never),
        "points": points,
        "last": len(points),
        "within": _within(points, slice_.spans),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, values)
        cursor.execute(_STAND_FOR_THEM)
        cursor.execute("SELECT count(*) FROM backtest_class")
        (count,) = cursor.fetchone()
    return int(count)


def _within(points: Sequence[datetime], spans: Sequence[tuple[datetime, datetime]]) -> list[bool]:
    """Whether an outage went on between two neighbouring points: before the first, and so on."""
    change = dict.fromkeys(points, 0)
    for start, end in spans:
        change[start] += 1
        change[end] -= 1
    running, within = 0, [False]
    for point in points:
        running += change[point]
        within.append(running > 0)
    return within


def forget_classes() -> None:
    """Drop what `tell_classes` made."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS backtest_member, backtest_class")
        cursor.execute("TRUNCATE backtest_customers_customer, backtest_customers_subscription")
