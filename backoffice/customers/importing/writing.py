"""Good rows into the database, set by set: COPY into a temporary table, then a few statements.

An UPDATE touches only rows that differ, so importing a file again writes nothing.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection

from backoffice.customers.importing.checking import Row
from backoffice.customers.importing.report import BadLine, Counts, Report
from backoffice.customers.models import Customer, Subscription

CUSTOMER_TYPES = {
    "reference": "text", "name": "text", "email": "text", "language": "text", "country": "text",
    "segment": "text", "time_zone": "text", "currency": "text", "stripe_customer_id": "text",
}  # fmt: skip
SUBSCRIPTION_TYPES = {
    "reference": "text", "plan": "text", "fee_minor": "bigint", "currency": "text",
    "interval_months": "smallint", "status": "text", "region": "text",
    "started_at": "timestamptz", "ended_at": "timestamptz", "trial_end": "timestamptz",
    "period_start": "timestamptz", "period_end": "timestamptz", "stripe_subscription_id": "text",
}  # fmt: skip
# What a worked-out time, or an empty cell where Stripe's id is known, must not overwrite.
STAGED = {
    "started_at": "CASE WHEN t.is_start_guessed THEN s.started_at ELSE t.s_started_at END",
    "ended_at": "CASE WHEN t.is_end_guessed AND s.ended_at IS NOT NULL"
    " THEN s.ended_at ELSE t.s_ended_at END",
    "stripe_customer_id": "coalesce(t.c_stripe_customer_id, s.stripe_customer_id)",
    "stripe_subscription_id": "coalesce(t.s_stripe_subscription_id, s.stripe_subscription_id)",
}

# Each finds (line, field, value, reason, remedy) of staged rows that the database contradicts.
CONFLICTS = (
    (
        "subscription reference",
        """SELECT t.line, t.s_reference, 'belongs to customer ' || c.reference
           FROM import_stage t JOIN customers_subscription s ON s.reference = t.s_reference
           JOIN customers_customer c ON c.id = s.customer_id WHERE c.reference <> t.c_reference""",
        "Give the new subscription a reference of its own.",
    ),
    (
        "currency",
        """SELECT t.line, t.s_currency,
                  'is not the customer''s currency at Stripe, which is ' || c.currency
           FROM import_stage t JOIN customers_customer c ON c.reference = t.c_reference
           WHERE c.stripe_customer_id IS NOT NULL AND c.currency <> ''
             AND t.s_currency IS NOT NULL AND c.currency <> t.s_currency""",
        "A customer has one currency at Stripe: make a second customer for the other one.",
    ),
    (
        "stripe_customer_id",
        """SELECT t.line, t.c_stripe_customer_id, 'is the id of customer ' || c.reference
           FROM import_stage t JOIN customers_customer c
             ON c.stripe_customer_id = t.c_stripe_customer_id WHERE c.reference <> t.c_reference
           UNION ALL
           SELECT t.line, t.c_stripe_customer_id, 'replaces ' || c.stripe_customer_id
           FROM import_stage t JOIN customers_customer c ON c.reference = t.c_reference
           WHERE c.stripe_customer_id <> t.c_stripe_customer_id
           UNION ALL
           SELECT line, c_stripe_customer_id, 'stands on another customer''s line as well'
           FROM (SELECT *, min(c_reference) OVER same <> max(c_reference) OVER same AS is_doubled
                 FROM import_stage WHERE c_stripe_customer_id IS NOT NULL
                 WINDOW same AS (PARTITION BY c_stripe_customer_id)) t WHERE is_doubled""",
        "Check the ids: credits would go to somebody else.",
    ),
    (
        "stripe_subscription_id",
        """SELECT t.line, t.s_stripe_subscription_id, 'is the id of subscription ' || s.reference
           FROM import_stage t JOIN customers_subscription s
             ON s.stripe_subscription_id = t.s_stripe_subscription_id
           WHERE s.reference <> t.s_reference
           UNION ALL
           SELECT t.line, t.s_stripe_subscription_id, 'replaces ' || s.stripe_subscription_id
           FROM import_stage t JOIN customers_subscription s ON s.reference = t.s_reference
           WHERE s.stripe_subscription_id <> t.s_stripe_subscription_id
           UNION ALL
           SELECT line, s_stripe_subscription_id, 'stands on another line as well'
           FROM (SELECT *, count(*) OVER (PARTITION BY s_stripe_subscription_id) AS lines
                 FROM import_stage WHERE s_stripe_subscription_id IS NOT NULL) t WHERE lines > 1""",
        "Check the ids: trials would be extended for somebody else.",
    ),
    (
        "ended_at",
        f"""SELECT t.line, t.s_ended_at::text, 'is before the stored start or end allows'
            FROM import_stage t JOIN customers_subscription s ON s.reference = t.s_reference
            WHERE ({STAGED["ended_at"]}) < ({STAGED["started_at"]})""",  # noqa: S608
        "Check both dates, or give the reference date that the file speaks of.",
    ),
)


def stage(rows: Iterable[Row], report: Report) -> None:
    """Copy `rows` into a temporary table that lives as long as the transaction.

    No query may run on this connection while `rows` is read.
    """
    columns = {
        "line": "integer",
        **{f"c_{name}": kind for name, kind in CUSTOMER_TYPES.items()},
        **{f"s_{name}": kind for name, kind in SUBSCRIPTION_TYPES.items()},
        "components": "text[]",
        "is_start_guessed": "boolean",
        "is_end_guessed": "boolean",
    }
    customer, subscription = _defaults(Customer), _defaults(Subscription)
    nothing = dict.fromkeys(SUBSCRIPTION_TYPES)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS import_stage")
        definition = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        cursor.execute(f"CREATE TEMPORARY TABLE import_stage ({definition}) ON COMMIT DROP")
        with cursor.copy("COPY import_stage FROM STDIN") as copy:
            for row in rows:
                report.imported_lines += 1
                c = {**customer, **row.customer}
                s = nothing if row.subscription is None else {**subscription, **row.subscription}
                copy.write_row(
                    [
                        row.line,
                        *(c[name] for name in CUSTOMER_TYPES),
                        *(s[name] for name in SUBSCRIPTION_TYPES),
                        row.components,
                        row.is_start_guessed,
                        row.is_end_guessed,
                    ]
                )
        cursor.execute("ANALYZE import_stage")


def _defaults(model: Any) -> dict[str, Any]:
    types = CUSTOMER_TYPES if model is Customer else SUBSCRIPTION_TYPES
    defaults = {name: model._meta.get_field(name).get_default() for name in types}
    return {name: getattr(value, "value", value) for name, value in defaults.items()}


def remove_conflicts(report: Report) -> None:
    """Take the rows that the database contradicts out of the staged ones, and report them."""
    bad: list[BadLine] = []
    with connection.cursor() as cursor:
        for field, query, remedy in CONFLICTS:
            cursor.execute(query)
            bad += [
                BadLine(line, field, value or "", f"{field} “{value}” {reason}.", remedy)
                for line, value, reason in cursor.fetchall()
            ]
        lines = sorted({one.line for one in bad})
        if lines:
            cursor.execute("DELETE FROM import_stage WHERE line = ANY(%s)", [lines])
    report.imported_lines -= len(lines)
    report.add_bad(bad)


def write_customers(mapped: set[str]) -> Counts:
    """Create and update the staged customers; only the fields in `mapped` are updated."""
    source = "(SELECT DISTINCT ON (c_reference) * FROM import_stage ORDER BY c_reference, line)"
    columns = [name for name in CUSTOMER_TYPES if name in mapped and name != "reference"]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {source} t")  # noqa: S608
        total = cursor.fetchone()[0]
        updated = _update(cursor, "customers_customer", "c", source, columns)
        names = ", ".join(CUSTOMER_TYPES)
        cursor.execute(
            f"""INSERT INTO customers_customer ({names}, created_at, updated_at)
                SELECT {", ".join(f"t.c_{name}" for name in CUSTOMER_TYPES)},
                       statement_timestamp(), statement_timestamp()
                FROM {source} t WHERE NOT EXISTS (
                    SELECT 1 FROM customers_customer s WHERE s.reference = t.c_reference)
                ORDER BY t.line"""  # noqa: S608
        )
        created = cursor.rowcount
    return Counts(created, updated, total - created - updated)


def write_subscriptions(mapped: set[str]) -> Counts:
    """Create and update the staged subscriptions; their customers must stand already."""
    columns = [name for name in SUBSCRIPTION_TYPES if name in mapped and name != "reference"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM import_stage")
        total = cursor.fetchone()[0]
        updated = _update(cursor, "customers_subscription", "s", "import_stage", columns)
        names = ", ".join(SUBSCRIPTION_TYPES)
        cursor.execute(
            f"""INSERT INTO customers_subscription (customer_id, {names}, updated_at)
                SELECT c.id, {", ".join(f"t.s_{name}" for name in SUBSCRIPTION_TYPES)},
                       statement_timestamp()
                FROM import_stage t JOIN customers_customer c ON c.reference = t.c_reference
                WHERE NOT EXISTS (
                    SELECT 1 FROM customers_subscription s WHERE s.reference = t.s_reference)
                ORDER BY t.line"""  # noqa: S608
        )
        created = cursor.rowcount
    return Counts(created, updated, total - created - updated)


def _update(cursor: Any, table: str, prefix: str, source: str, columns: list[str]) -> int:
    if not columns:
        return 0
    new = [STAGED.get(name, f"t.{prefix}_{name}") for name in columns]
    cursor.execute(
        f"""UPDATE {table} AS s
            SET {", ".join(f"{name} = {value}" for name, value in zip(columns, new, strict=True))},
                updated_at = statement_timestamp()
            FROM {source} t WHERE s.reference = t.{prefix}_reference
            AND ({", ".join(f"s.{name}" for name in columns)}, 0)
                IS DISTINCT FROM ({", ".join(new)}, 0)"""  # noqa: S608
    )
    return int(cursor.rowcount)


def write_components(names: dict[str, tuple[str, str]], spoken_of: set[str] | None) -> Any:
    """Create components met for the first time, and bring the staged uses up to date.

    `names` holds name and group by key. Uses of components in `spoken_of` (None: of all) that the
    file no longer names are removed. Gives created names, and the numbers of uses added, removed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO customers_component
                   (key, name, "group", description, position, is_public)
               SELECT key, name, grp, '', 0, true
               FROM unnest(%s::text[], %s::text[], %s::text[])
                    WITH ORDINALITY AS met(key, name, grp, position)
               WHERE key IN (SELECT unnest(components) FROM import_stage)
                 AND NOT EXISTS (SELECT 1 FROM customers_component c WHERE c.key = met.key)
               ORDER BY met.position RETURNING name""",
            [list(names), [name for name, _ in names.values()], [g for _, g in names.values()]],
        )
        created = [name for (name,) in cursor.fetchall()]
        cursor.execute(
            """DELETE FROM customers_componentuse u
               USING customers_subscription s, import_stage t, customers_component c
               WHERE s.id = u.subscription_id AND t.s_reference = s.reference
                 AND c.id = u.component_id AND NOT c.key = ANY (t.components)
                 AND (%s::text[] IS NULL OR c.key = ANY (%s::text[]))""",
            [sorted(spoken_of) if spoken_of is not None else None] * 2,
        )
        removed = cursor.rowcount
        cursor.execute(
            """INSERT INTO customers_componentuse (subscription_id, component_id)
               SELECT s.id, c.id FROM import_stage t
               JOIN customers_subscription s ON s.reference = t.s_reference
               JOIN customers_component c ON c.key = ANY (t.components)
               ORDER BY c.id, s.id ON CONFLICT DO NOTHING"""
        )
        return created, cursor.rowcount, removed
