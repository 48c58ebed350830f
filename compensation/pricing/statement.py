"""One SQL statement a policy version: from exposures to what each is owed.

The steps, each a common table expression that reads the one before: those of `counting` where
downtime is taken from the outages, `exposed` (whom, how long,
which rows), `matched` (the rows' benefits), `valued` (exact fractions), `rounded` (under the
subscription's cap), `capped` (under the customer's), `credits` (not below the least amount).
PostgreSQL inlines what is read once; OFFSET 0 keeps it from computing a column again for
everyone who reads it.
"""

from typing import Any, NamedTuple

from compensation.models import PolicyVersion
from compensation.pricing import amounts
from compensation.pricing.benefits import added_up, first_row, of_all_outages
from compensation.pricing.counting import Step, counting
from compensation.pricing.exposed import exposed, spell
from compensation.pricing.given import Found
from compensation.pricing.terms import Terms


class Statement(NamedTuple):
    """SQL with the parameters of its placeholders."""

    sql: str
    params: tuple[Any, ...]


def priced(terms: Terms) -> Statement:
    """The WITH clause up to `credits`; trial days and the like are read from `matched`."""
    found = Found.before(terms)
    steps = {
        **(counting(terms, spell(terms)) if terms.counts_outages else {}),
        "exposed": Step(*exposed(terms).query.sql_with_params()),
        **{name: Step(sql) for name, sql in found.steps.items()},
        "matched": Step(_matched(terms, found)),
        "valued": Step(_valued(terms)),
        "rounded": Step(_rounded(terms.version)),
        "capped": Step(_capped(terms.version)),
        "credits": Step(f"SELECT * FROM capped WHERE {_is_paid_out(terms.version)}"),
    }
    clauses = ",\n".join(f"{name} AS ({step.sql})" for name, step in steps.items())
    params = tuple(param for step in steps.values() for param in step.params)
    return Statement(f"WITH {clauses}\n", params)


def _matched(terms: Terms, found: Found) -> str:
    """What the rows promise that fit: the first of them, or all added up; of all outages."""
    rows = added_up(terms) if terms.adds_rows_up else first_row(terms)
    if terms.prices_each_outage:
        rows = of_all_outages(rows, is_held_out=bool(terms.version.holdout_percent))
    told = "NULL::jsonb AS facts, NULL::bigint AS downtime_ms"
    if terms.counts_outages:
        told = f"div(m.downtime, {terms.scale})::bigint AS downtime_ms"
    days = "m.days"
    if terms.prices_period:
        days = f"GREATEST({days} - {found.sql['days_of_period']}, 0)"
    if terms.version.cap_days is not None:
        left = f"{int(terms.version.cap_days)} - {found.sql['days_given']}"
        days = f"LEAST({days}, GREATEST({left}, 0))"
    return f"""
        SELECT m.*, {told}, {days} AS trial_days, {found.columns} FROM ({rows}) m {found.joins}
    """


def _valued(terms: Terms) -> str:
    credit, cap = amounts.credit(terms), amounts.subscription_cap(terms.version)
    numerator = credit.numerator
    if terms.prices_period:
        numerator = f"GREATEST({numerator} - m.given_of_period * ({credit.denominator}), 0)"
    return f"""
        SELECT m.*, {numerator} AS numerator, {credit.denominator} AS denominator,
            {cap.numerator} AS cap_numerator, {cap.denominator} AS cap_denominator,
            {amounts.STEP} AS step, {exclusion("credit", terms)} AS exclusion
        FROM matched m OFFSET 0
    """


def exclusion(benefit: str, terms: Terms) -> str:
    """Why the benefit for a row of `matched m` is left out at once, or the empty text."""
    needs = {
        "credit": """
            WHEN COALESCE(m.stripe_customer_id, '') = '' THEN 'no_stripe_customer'
            WHEN m.customer_currency NOT IN ('', m.currency) THEN 'other_currency'""",
        "trial": "WHEN COALESCE(m.stripe_subscription_id, '') = '' THEN 'no_stripe_subscription'",
        "priority": "",
    }
    return f"""CASE WHEN m.awarded_{benefit} THEN 'already_awarded'
        WHEN m.status = 'canceled' THEN 'cancelled' {needs[benefit]}
        {_held_out(terms)} ELSE '' END"""


def _held_out(terms: Terms) -> str:
    """Of a voluntary promise, a share of the customers, the same whenever it is priced.

    The first 32 bits of the SHA-256 of `number of the incident:reference of the customer`, as a
    fraction, are below the share.
    """
    if not terms.version.holdout_percent:
        return ""
    bound = int(terms.version.holdout_percent * 100) * 2**32
    number = terms.incident.number.replace("'", "''").replace("%", "%%")
    hashed = f"sha256(convert_to('{number}:' || m.reference, 'UTF8'))"
    first = f"('x' || left(encode({hashed}, 'hex'), 8))::bit(32)::bigint"
    return f"WHEN {first} * 10000 < {bound} THEN 'held_out'"


def _rounded(version: PolicyVersion) -> str:
    """The amount in minor units, under the subscription's cap if there is one."""
    amount = amounts.rounded("numerator", "denominator", version.rounding)
    if version.cap_percent is None:
        return f"""
            SELECT v.*, {amount}::bigint AS own_amount, NULL::bigint AS own_cap,
                0::bigint AS own_given
            FROM valued v OFFSET 0
        """
    cap = amounts.rounded("cap_numerator", "cap_denominator", version.rounding)
    left = "GREATEST(cap_numerator - given_subscription * cap_denominator, 0)"
    left = amounts.rounded(left, "cap_denominator", version.rounding)
    return f"""
        SELECT v.*, given_subscription AS own_given,
            CASE WHEN subscription_id IS NULL THEN {amount} ELSE LEAST({amount}, {left}) END::bigint
                AS own_amount,
            CASE WHEN subscription_id IS NOT NULL THEN {cap} END::bigint AS own_cap
        FROM valued v OFFSET 0
    """


def _capped(version: PolicyVersion) -> str:
    """Under the customer's cap: the subscriptions of one customer use it up one after another.

    Their amounts before this cap add up, so whoever comes after it is used up gets nothing.
    """
    if not version.cap_amounts:
        return """SELECT r.*, own_amount AS amount_minor, own_cap AS cap_minor,
            own_given AS given_minor FROM rounded r"""
    counts = f"exclusion = '' AND {_is_paid_out(version, 'own_amount')}"
    return f"""
        SELECT c.*,
            CASE WHEN is_customers THEN customer_cap ELSE own_cap END AS cap_minor,
            CASE WHEN is_customers THEN customer_given ELSE own_given END AS given_minor,
            CASE WHEN customer_cap IS NULL THEN own_amount ELSE LEAST(
                own_amount, GREATEST(div(customer_cap - customer_given, step) * step, 0)
            ) END::bigint AS amount_minor
        FROM (
            SELECT w.*, COALESCE(
                customer_cap - customer_given < own_cap - own_given, customer_cap IS NOT NULL
            ) AS is_customers FROM (
                SELECT r.*, {amounts.of_currency(version.cap_amounts)} AS customer_cap,
                    given_customer + COALESCE(sum(CASE WHEN {counts} THEN own_amount END) OVER (
                        PARTITION BY customer_id, currency ORDER BY subscription_id NULLS LAST
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ), 0)::bigint AS customer_given
                FROM rounded r
            ) w
        ) c
    """


def _is_paid_out(version: PolicyVersion, amount: str = "amount_minor") -> str:
    """Not nothing, and not below the least amount, as it comes out in the end."""
    if not version.minimum_amounts:
        return f"{amount} > 0"
    least = f"COALESCE({amounts.of_currency(version.minimum_amounts)}, 0)"
    operator = ">" if version.is_minimum_exclusive else ">="
    return f"{amount} > 0 AND {amount} {operator} {least}"
