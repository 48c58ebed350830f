"""What beat asks of the worker."""

from celery import shared_task
from django.utils import timezone

from incidents.cohorts import resolve
from incidents.models import Incident


@shared_task
def refresh_running_incidents() -> None:
    """Once a minute: find again whom the running incidents hit, but for those that still rest."""
    now = timezone.now()
    for incident in Incident.objects.running():
        if incident.needs_resolving(now):
            resolve(incident)
