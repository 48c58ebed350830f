"""The heartbeat."""

from celery import shared_task
from django.utils import timezone

from backoffice.operation.models import Heartbeat


@shared_task(name="backoffice.operation.tasks.beat_heart")
def beat_heart() -> None:
    """That this runs is the news."""
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": timezone.now()})
