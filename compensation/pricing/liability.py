"""What an incident would cost if it ended now, priced like a batch but not written."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from compensation.models import PolicyVersion
from compensation.pricing.joining import joined_wholly
from compensation.pricing.statement import priced
from compensation.pricing.terms import Terms
from incidents.models import Incident

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True)
class Liability:
    """Credits in one currency, in minor units: now, how much more in a minute, and in an hour."""

    currency: str
    amount_minor: int
    awards: int
    customers: int
    growth_per_minute_minor: int = 0
    in_an_hour_minor: int = 0


def liability(
    incident: Incident, version: PolicyVersion, *, as_of: datetime | None = None
) -> list[Liability]:
    """What a batch under `version` would propose by currency if the incident ended at `as_of`.

    `as_of` is now unless given; `version` may be a draft. Left-out awards do not count.
    Where an outage still runs, exposures grow from where they were counted last. Terms of steps
    (10 % below 99.9 %) grow by leaps, hence both the very next minute and what an hour brings.

    Raises:
        ConditionError: a row's further condition cannot be understood.
    """
    grows = incident.profiles.exclude(running_impact="").exists()
    as_of, running = running_until(incident, as_of or timezone.now(), grows=grows)
    horizons = (0, MINUTE, HOUR) if grows else (0,)
    totals = [
        _totals(Terms.of(version, incident, as_of, running_seconds=running + later))
        for later in horizons
    ]
    now, minute, hour = totals if grows else totals * 3
    nothing = (0, 0, 0)
    return [
        Liability(
            currency,
            *now.get(currency, nothing),
            growth_per_minute_minor=minute.get(currency, nothing)[0]
            - now.get(currency, nothing)[0],
            in_an_hour_minor=hour.get(currency, nothing)[0],
        )
        for currency in sorted({*now, *hour})
    ]


def running_until(incident: Incident, as_of: datetime, *, grows: bool) -> tuple[datetime, int]:
    """The moment to price at, and how long outages have run on since the exposures were counted."""
    counted = incident.cohorts_resolved_at
    if not grows or counted is None:
        return as_of, 0
    as_of = max(as_of, counted)
    return as_of, int((as_of - counted).total_seconds())


def _totals(terms: Terms) -> dict[str, tuple[int, int, int]]:
    """Amount, awards and customers by currency."""
    if terms.owes_nothing:
        return {}
    clause = priced(terms)
    with connection.cursor() as cursor, joined_wholly(terms, cursor):
        cursor.execute(
            f"""{clause.sql} SELECT currency, sum(amount_minor)::bigint, count(*),
                count(DISTINCT customer_id) FROM credits WHERE exclusion = '' GROUP BY currency""",
            clause.params,
        )
        return {currency: (amount, n, who) for currency, amount, n, who in cursor.fetchall()}
