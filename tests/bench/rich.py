"""Price 1,000,000 exposures under the richest policy: the total of a month with several incidents.

Outages below five minutes are nothing, partial ones count half, no instant counts twice; 12 rows,
three of them with a further condition; caps per subscription and customer, less what was given.
The reference is what an expert would write by hand for exactly this policy, month and these
incidents: times once for each distinct set of profiles, joined to the exposures. It writes the
same rows into a table with the same constraints, indexes, foreign keys and triggers.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from backoffice.accounts.models import User
from backoffice.customers.models import Component
from compensation.models import Batch, Policy, PolicyVersion, Rule
from incidents.models import Cohort, Incident, Outage
from tests.bench._awards import execute, race
from tests.bench._rich_sql import (
    BY_HAND,
    COLUMNS,
    CUSTOMERS,
    EXPOSURES,
    GIVEN,
    PROFILES,
    SUBSCRIPTIONS,
)
from tests.bench.result import Result

BAR = 3
SIZE = 1_000_000
PLANS = ["Enterprise", "Business", "Consumer", "Free"]
# of 43,200 minutes: more than 302.4, 172.8 and 43.2 minutes down
TIERS = [("99.3", None), ("99.6", "99.3"), ("99.9", "99.6")]
PERCENT = [60, 30, 15, 50, 25, 10, 40, 20, 5, 30, 10, 1]
CONDITION = 'customer.country != "US" and fee_minor >= 1000'
CAP_PERCENT, CAP_MINOR = 50, 40_000
# The priced one, the others of September with the share of subscriptions they hit, and one before.
INCIDENTS = {
    "INC-1": (datetime(2026, 9, 14, 8, tzinfo=UTC), 1.0),
    "INC-2": (datetime(2026, 9, 5, 2, tzinfo=UTC), 0.3),
    "INC-3": (datetime(2026, 9, 14, 9, tzinfo=UTC), 0.2),
    "INC-0": (datetime(2026, 8, 20, 7, tzinfo=UTC), 0.1),
}
# component, impact, region, from and to in minutes after the incident's beginning
OUTAGES = [
    (0, "major", "eu", 0, 95),
    (0, "partial", "", 60, 150),
    (1, "major", "", 45, 130),
    (1, "partial", "us", 200, 260),
    (2, "major", "", 300, 303),
    (2, "major", "", 400, 560),
]


def run(scale: float) -> Result:
    size = max(int(SIZE * scale), 1000)
    version = _version()
    incidents = [_incident(number, *about, size) for number, about in INCIDENTS.items()]
    _give(incidents, version)
    for table in ("customers_customer", "customers_subscription", "incidents_exposure",
                  "incidents_exposureprofile", "compensation_award"):  # fmt: skip
        execute(f"VACUUM ANALYZE {table}")
    batch = Batch.objects.create(number="1", incident=incidents[0], version=version)
    values = {
        "batch": batch.pk,
        "first": incidents[0].pk,
        "second": incidents[1].pk,
        "third": incidents[2].pk,
        "period_start": datetime(2026, 9, 1, tzinfo=UTC),
        "period_end": datetime(2026, 10, 1, tzinfo=UTC),
        "cap_minor": CAP_MINOR,
        "cap_percent": CAP_PERCENT,
        "percent": PERCENT,
    }
    by_hand = BY_HAND.replace("{cases}", _cases())
    return race(batch, by_hand, values, columns=COLUMNS, bar=BAR, size=size)


def _table() -> list[tuple[str, str, str | None]]:
    return [(plan, below, least) for plan in PLANS for below, least in TIERS]


def _cases() -> str:
    """The rows' conditions, in order."""
    allowed = {"99.3": 18_144_000, "99.6": 10_368_000, "99.9": 2_592_000}
    lines = []
    for position, (plan, below, least) in enumerate(_table(), start=1):
        bounds = f"d.downtime > {allowed[below]}"
        if least is not None:
            bounds += f" AND d.downtime <= {allowed[least]}"
        if plan == PLANS[0]:
            bounds += " AND c.country <> 'US' AND s.fee_minor >= 1000"
        lines.append(f"WHEN s.plan = '{plan}' AND {bounds} THEN {position}")
    return "\n".join(lines)


def _version() -> PolicyVersion:
    version = PolicyVersion.objects.create(
        policy=Policy.objects.create(key="bench", name="Bench"),
        number=1,
        basis=PolicyVersion.Basis.PERIOD,
        partial_weight=Decimal("0.5"),
        shortest_minutes=Decimal(5),
        cap_percent=Decimal(CAP_PERCENT),
        cap_amounts={"EUR": CAP_MINOR},
    )
    Rule.objects.bulk_create(
        Rule(
            version=version, position=position, plans=[plan], uptime_to=Decimal(below),
            uptime_from=None if least is None else Decimal(least),
            condition=CONDITION if plan == PLANS[0] else "",
            credit=Rule.Credit.PERCENT, credit_value=Decimal(PERCENT[position - 1]),
        )
        for position, (plan, below, least) in enumerate(_table(), start=1)
    )  # fmt: skip
    return version


def _incident(number: str, started_at: datetime, share: float, size: int) -> Incident:
    """With its outages, its profiles (sets of components, regions, lives) and exposures."""
    if not Component.objects.exists():
        Component.objects.bulk_create(
            Component(key=f"c-{n}", name=f"Component {n}") for n in range(3)
        )
        execute(CUSTOMERS, {"size": size * 4 // 5})
        execute(SUBSCRIPTIONS, {"size": size, "customers": size * 4 // 5, "plans": PLANS})
    components = list(Component.objects.order_by("key"))
    incident = Incident.objects.create(number=number, started_at=started_at)
    Outage.objects.bulk_create(
        Outage(
            incident=incident, component=components[which], impact=impact, region=region,
            starts_at=started_at + timedelta(minutes=first),
            ends_at=started_at + timedelta(minutes=last),
        )
        for which, impact, region, first, last in OUTAGES
    )  # fmt: skip
    cohort = Cohort.objects.create(incident=incident, name="All")
    values = {"incident": incident.pk, "cohort": cohort.pk, "share": int(share * 100)}
    a, b, c = (component.pk for component in components)
    execute(PROFILES, values | {"a": a, "b": b, "c": c})
    execute(EXPOSURES, values)
    return incident


def _give(incidents: list[Incident], version: PolicyVersion) -> None:
    """A batch was issued for the second incident, and some goodwill was given."""
    batch = Batch.objects.create(
        number="0", incident=incidents[1], version=version, state=Batch.State.ISSUED
    )
    giver = User.objects.create(email="giver@example.com")
    execute(
        GIVEN,
        {
            "batch": batch.pk,
            "incident": incidents[1].pk,
            "giver": giver.pk,
            "at": datetime(2026, 9, 20, tzinfo=UTC),
        },
    )
