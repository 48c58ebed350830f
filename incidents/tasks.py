"""What beat asks of the worker."""

import logging

from celery import shared_task
from django.utils import timezone

from backoffice.customers.conditions import ConditionError
from incidents.cohorts import resolve
from incidents.models import Incident

logger = logging.getLogger(__name__)


@shared_task
def refresh_running_incidents() -> None:
    """Once a minute: find again whom the running incidents hit, but for those that still rest."""
    now = timezone.now()
    for incident in Incident.objects.running():
        if not incident.needs_resolving(now):
            continue
        try:
            resolve(incident)
        except ConditionError as error:
            # Only a person can put this right; the others must not wait for it.
            logger.warning("%s is not counted: %s", incident, error)
