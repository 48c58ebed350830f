"""What is left for the visitor: an incident that runs, and a batch that waits for approval."""

import time
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from backoffice.customers.models import Component
from backoffice.demo.people import Cast
from backoffice.demo.processes import ProcessError
from compensation.batches import submit_batch
from compensation.models import Batch
from incidents.lifecycle import acknowledge_incident, declare_incident, resolve_incident
from incidents.models import Incident


def leave_work_open(cast: Cast) -> tuple[Incident, Batch]:
    """The running incident and the waiting batch, on the two components used by most others."""
    components = Component.objects.exclude(outages__isnull=False).alias(users=Count("uses"))
    waiting, running = components.order_by("-users")[:2]
    return _running(running, cast), _waiting(waiting, cast)


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


def _waiting(component: Component, cast: Cast) -> Batch:
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
    return submit_batch(_drafted_by_itself(incident), by=cast.finance)


def _drafted_by_itself(incident: Incident) -> Batch:
    """The worker drafts and prices it under the default policy; that takes a moment."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        batch = incident.batches.filter(state=Batch.State.PRICED).first()
        if batch is not None:
            return batch
        time.sleep(0.2)
    raise ProcessError("The worker drafted no batch within 30 seconds: see its log.")
