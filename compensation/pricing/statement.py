"""One SQL statement a policy version: from exposures to what each is owed.

The steps, each a common table expression that reads the one before: `exposed` (whom, how long,
which rows), `matched` (the rows' benefits), `valued` (exact fractions), `rounded` (under the
subscription's cap), `capped` (under the customer's), `credits` (not below the least amount).
PostgreSQL inlines what is read once; OFFSET 0 keeps it from computing a column again for
everyone who reads it.
"""

from typing import Any, NamedTuple

from compensation.models import PolicyVersion, Rule
from compensation.pricing import amounts
from compensation.pricing.exposed import exposed
from compensation.pricing.given import Found
from compensation.pricing.terms import Terms


class Statement(NamedTuple):
    """SQL with the parameters of its placeholders."""

    sql: str
    params: tuple[Any, ...]


def priced(terms: Terms) -> Statement:
    """The WITH clause up to `credits`; trial days and the like are read from `matched`."""
    sql, params = exposed(terms).query.sql_with_params()
    found = Found.before(terms)
    steps = {
        "exposed": sql,
        **found.steps,
        "matched": _matched(terms, found),
        "valued": _valued(terms),
        "rounded": _rounded(terms.version),
        "capped": _capped(terms.version),
        "credits": f"SELECT * FROM capped WHERE {_is_paid_out(terms.version)}",
    }
    clauses = ",\n".join(f"{name} AS ({step})" for name, step in steps.items())
    return Statement(f"WITH {clauses}\n", params)


def _matched(terms: Terms, found: Found) -> str:
    """The benefits of the row that fits first, or of all that fit, added up."""
    if terms.adds_rows_up:
        return _added_up(terms, found)
    rows = ", ".join(
        f"({rule.position}::smallint, {', '.join(map(str, _benefits(rule).values()))})"
        for rule in terms.rules
    )
    names = ", ".join(_benefits(terms.rules[0]))
    fixed = _fixed_amounts(terms)
    return f"""
        SELECT e.*, ARRAY[r.position] AS rules, r.percent::numeric, r.multiple::numeric,
            r.trial_days, r.priority_days, {"COALESCE(f.amount, 0)" if fixed else "0"} AS fixed,
            {found.columns}
        FROM exposed e JOIN (VALUES {rows}) r (position, {names}) ON r.position = e.rule
            {fixed} {found.joins}
    """


def _benefits(rule: Rule) -> dict[str, int]:
    """What does not depend on the currency."""
    value = int((rule.credit_value or 0) * amounts.RATE_SCALE)
    return {
        "percent": value if rule.credit == Rule.Credit.PERCENT else 0,
        "multiple": value if rule.credit == Rule.Credit.TIME_MULTIPLE else 0,
        "trial_days": rule.trial_days,
        "priority_days": rule.priority_days,
    }


def _fixed_amounts(terms: Terms) -> str:
    """A join to the fixed amounts, by row and currency; a currency not listed gets nothing."""
    rows = ", ".join(
        f"({rule.position}, '{amounts.code(currency)}', {int(amount)})"
        for rule in terms.rules
        if rule.credit == Rule.Credit.FIXED
        for currency, amount in rule.credit_amounts.items()
    )
    if not rows:
        return ""
    return f"""LEFT JOIN (VALUES {rows}) f (position, currency, amount)
        ON f.position = r.position AND f.currency = e.currency"""


def _added_up(terms: Terms, found: Found) -> str:
    """A sum over the rows, each counted where its position is among those that fit."""
    sums: dict[str, list[str]] = {name: ["0"] for name in _benefits(terms.rules[0])}
    sums["fixed"] = ["0"]
    for rule in terms.rules:
        fits = f"CASE WHEN {rule.position} = ANY (e.rules) THEN {{}} ELSE 0 END"
        for name, value in _benefits(rule).items():
            if value:
                sums[name].append(fits.format(value))
        if rule.credit == Rule.Credit.FIXED and rule.credit_amounts:
            amount = amounts.of_currency(rule.credit_amounts)
            sums["fixed"].append(fits.format(f"COALESCE({amount}, 0)"))
    added = ", ".join(
        f"({' + '.join(parts)}){'::numeric' if name in {'percent', 'multiple'} else ''} AS {name}"
        for name, parts in sums.items()
    )
    return f"""
        SELECT e.*, {added}, {found.columns} FROM (SELECT * FROM exposed OFFSET 0) e
        {found.joins} WHERE e.rules <> '{{}}'
    """


def _valued(terms: Terms) -> str:
    credit, cap = amounts.credit(terms), amounts.subscription_cap(terms.version)
    return f"""
        SELECT m.*, {credit.numerator} AS numerator, {credit.denominator} AS denominator,
            {cap.numerator} AS cap_numerator, {cap.denominator} AS cap_denominator,
            {amounts.STEP} AS step, {exclusion("credit")} AS exclusion
        FROM matched m OFFSET 0
    """


def exclusion(benefit: str) -> str:
    """Why the benefit for a row of `matched m` is left out at once, or the empty text."""
    needs = {
        "credit": """
            WHEN COALESCE(m.stripe_customer_id, '') = '' THEN 'no_stripe_customer'
            WHEN m.customer_currency NOT IN ('', m.currency) THEN 'other_currency'""",
        "trial": "WHEN COALESCE(m.stripe_subscription_id, '') = '' THEN 'no_stripe_subscription'",
        "priority": "",
    }
    return f"""CASE WHEN m.awarded_{benefit} THEN 'already_awarded'
        WHEN m.status = 'canceled' THEN 'cancelled' {needs[benefit]} ELSE '' END"""


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
