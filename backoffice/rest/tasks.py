"""Housekeeping of the API."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from backoffice.rest.models import IdempotentRequest

# As long as Stripe keeps its own (https://docs.stripe.com/api/idempotent_requests).
KEPT_FOR = timedelta(hours=24)


@shared_task
def forget_old_requests() -> None:
    """Drop the answers kept for Idempotency-Keys that are older than a day."""
    IdempotentRequest.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
