"""A world in which somebody can claim: a policy that takes claims, an outage, who it hit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from backoffice.customers.models import Subscription
from compensation.claims import NewClaim, file_claim
from compensation.models import Claim, PolicyVersion
from incidents.cohorts import resolve
from incidents.models import Incident, Outage
from tests.compensation.factories import PolicyVersionFactory, RuleFactory, activate
from tests.customers.factories import ComponentUseFactory
from tests.incidents.factories import CohortFactory, IncidentFactory, OutageFactory

# A Wednesday in the middle of a month of 31 days, some five weeks before the frozen now.
BEGAN = datetime(2026, 10, 14, 14, 2, tzinfo=UTC)
ENDED = BEGAN + timedelta(hours=1)
NOW = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)


def promise(**terms: Any) -> PolicyVersion:
    """10 % of the monthly fee below 99.9 % uptime, claims within 30 days; in force since long."""
    terms = {"claim_days": 30, "policy__is_default": True} | terms
    row = terms.pop("row", {"uptime_to": Decimal("99.9")})
    version = PolicyVersionFactory.create(**terms)
    RuleFactory(version=version, position=1, **({"uptime_to": None} | row))
    activate(version)
    version.refresh_from_db()
    return version


def outage(
    *, resolved: bool = True, began: datetime = BEGAN, minutes: int = 60, **more: Any
) -> Outage:
    """One of `minutes`, of an incident that is over unless said otherwise."""
    ended = began + timedelta(minutes=minutes)
    incident = more.pop("incident", None) or IncidentFactory.create(
        started_at=began,
        state=Incident.State.RESOLVED if resolved else Incident.State.INVESTIGATING,
        resolved_at=ended if resolved else None,
    )
    return OutageFactory.create(
        incident=incident, starts_at=began, ends_at=ended if resolved else None, **more
    )


def user_of(component: Any, **more: Any) -> Subscription:
    """A subscription that uses `component`."""
    return ComponentUseFactory.create(
        component=component, **{f"subscription__{name}": value for name, value in more.items()}
    ).subscription


def missed(found: Outage, **more: Any) -> Subscription:
    """Hit by the outage, but in none of its incident's cohorts."""
    if not found.incident.cohorts.exists():
        CohortFactory(incident=found.incident, name="Elsewhere", condition='plan = "Other"')
    resolve(found.incident)
    return user_of(found.component, **more)


def claim(subscription: Subscription | None, **more: Any) -> Claim:
    """For the whole hour, unless said otherwise."""
    given = {
        "customer": subscription and subscription.customer,
        "subscription": subscription,
        "starts_at": BEGAN,
        "ends_at": ENDED,
        "text": "Nothing worked.",
        "key": f"key-{Claim.objects.count()}",
    }
    return file_claim(NewClaim(**(given | more)))
