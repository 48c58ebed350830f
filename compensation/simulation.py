"""What a version would give for one incident, priced like a batch and not kept.

As if no batch of this incident had been made: what those gave counts as not given. What other
incidents and goodwill gave in the period counts as given, as it does for a batch.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backoffice.customers.models import Customer
from compensation.models import Award, Batch, PolicyVersion
from compensation.pricing.joining import joined_wholly
from compensation.pricing.liability import running_until
from compensation.pricing.terms import Terms
from compensation.pricing.writing import proposed
from incidents.cohorts import resolve
from incidents.models import Incident

LARGEST = 10

_BY_CURRENCY = """
SELECT currency, sum(amount_minor)::bigint, count(*), count(DISTINCT customer_id),
    max(amount_minor)
FROM simulated WHERE exclusion = '' AND benefit = 'credit' GROUP BY currency ORDER BY currency
"""
_BY_ROW = """
SELECT position, benefit, CASE benefit WHEN 'credit' THEN currency ELSE '' END, count(*),
    sum(amount_minor)::bigint, sum(days)::bigint
FROM simulated CROSS JOIN unnest(rules) AS position
WHERE exclusion = '' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_LEFT_OUT = """
SELECT exclusion, count(*) FROM simulated WHERE exclusion <> '' GROUP BY 1 ORDER BY 2 DESC
"""
_LARGEST = """
SELECT * FROM simulated WHERE exclusion = '' AND benefit = 'credit'
ORDER BY amount_minor DESC, customer_id, subscription_id LIMIT %s
"""


@dataclass(frozen=True)
class Total:
    """Credits of one currency; amounts in minor units."""

    currency: str
    amount_minor: int
    awards: int
    customers: int
    largest_minor: int


@dataclass(frozen=True)
class RowTotal:
    """What one row of the table gives; a benefit of several rows counts for each of them."""

    position: int
    benefit: str
    currency: str
    awards: int
    amount_minor: int
    days: int


@dataclass(frozen=True)
class Simulated:
    """What `version` would give. `largest` are awards that are not saved; times are UTC.

    `is_estimated`: nobody had looked whom the incident hit, so everyone was taken who used what
    was out of order and lived then.
    """

    version: PolicyVersion
    as_of: datetime
    customers: int
    totals: list[Total]
    rows: list[RowTotal]
    left_out: list[tuple[str, int]]
    largest: list[Award]
    is_estimated: bool


def simulate(incident: Incident, version: PolicyVersion) -> Simulated:
    """Price `incident` under `version`, which may be a draft; everything is rolled back.

    Where an outage still runs, as if it ended now.

    Raises:
        ConditionError: a row's further condition cannot be understood.
    """
    incident = Incident.objects.get(pk=incident.pk)
    is_estimated = incident.cohorts_resolved_at is None
    with transaction.atomic():
        if is_estimated:
            resolve(incident)
        grows = incident.profiles.exclude(running_impact="").exists()
        now = timezone.now()
        as_of, running = running_until(incident, now, grows=grows)
        terms = Terms.of(version, incident, as_of, running_seconds=running, ignores_own_awards=True)
        found = _read(terms, as_of, is_estimated=is_estimated)
        transaction.set_rollback(True)
    return found


def _read(terms: Terms, as_of: datetime, *, is_estimated: bool) -> Simulated:
    with connection.cursor() as cursor:
        if terms.owes_nothing:
            return Simulated(terms.version, as_of, 0, [], [], [], [], is_estimated)
        names, statement = proposed(terms, as_of)
        made = f"CREATE TEMP TABLE simulated ({', '.join(names)}) AS {statement.sql}"
        with joined_wholly(terms, cursor):
            cursor.execute(made, statement.params)
        cursor.execute(
            "SELECT count(DISTINCT customer_id) FROM simulated"
            " WHERE exclusion = '' AND benefit = 'credit'"
        )
        (customers,) = cursor.fetchone()
        cursor.execute(_BY_CURRENCY)
        totals = [Total(*row) for row in cursor.fetchall()]
        cursor.execute(_BY_ROW)
        rows = [RowTotal(*row) for row in cursor.fetchall()]
        cursor.execute(_LEFT_OUT)
        left_out = list(cursor.fetchall())
        cursor.execute(_LARGEST, [LARGEST])
        largest = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        cursor.execute("DROP TABLE simulated")
    awards = _awards(terms, largest)
    return Simulated(terms.version, as_of, customers, totals, rows, left_out, awards, is_estimated)


def _awards(terms: Terms, rows: list[dict[str, Any]]) -> list[Award]:
    """With their customers and version, so that they can be explained."""
    customers = Customer.objects.in_bulk([row["customer_id"] for row in rows])
    batch = Batch(incident=terms.incident, version=terms.version)
    awards = []
    for row in rows:
        # Django has its cursors leave JSON as it is written.
        counted = row["counted"]
        row["counted"] = json.loads(counted) if isinstance(counted, str) else counted
        award = Award(**row, incident=terms.incident)
        award.batch, award.customer = batch, customers[row["customer_id"]]
        awards.append(award)
    return awards
