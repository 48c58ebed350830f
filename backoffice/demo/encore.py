"""What is left for the visitor: an incident that runs, and a batch that waits for approval."""

from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from backoffice.customers.models import Component
from backoffice.demo.people import Cast
from compensation.batches import create_batch, price_batch, submit_batch
from compensation.models import Batch, PolicyVersion
from incidents.lifecycle import acknowledge_incident, declare_incident, resolve_incident
from incidents.models import Incident


def leave_work_open(version: PolicyVersion, cast: Cast) -> tuple[Incident, Batch]:
    """The running incident and the waiting batch, on the two components used by most others."""
    components = Component.objects.exclude(outages__isnull=False).alias(users=Count("uses"))
    waiting, running = components.order_by("-users")[:2]
    return _running(running, cast), _waiting(waiting, version, cast)


def _running(component: Component, cast: Cast) -> Incident:
    """Long enough ago to cost something already."""
    incident = declare_incident(
        title=f"{component} slow or unreachable",
        severity="major",
        started_at=timezone.now() - timedelta(minutes=52),
        commander=cast.manager,
        components=[component],
        by=cast.manager,
    )
    acknowledge_incident(incident=incident, by=cast.manager)
    return incident


def _waiting(component: Component, version: PolicyVersion, cast: Cast) -> Batch:
    end = timezone.now() - timedelta(hours=3)
    start = end - timedelta(hours=7, minutes=40)
    incident = declare_incident(
        title=f"{component} disturbed",
        severity="minor",
        started_at=start,
        detected_at=start,
        commander=cast.manager,
        components=[component],
        by=cast.manager,
    )
    resolve_incident(incident=incident, at=end, by=cast.manager)
    batch = create_batch(incident, version, by=cast.finance)
    price_batch(batch, by=cast.finance)
    return submit_batch(batch, by=cast.finance)
