"""Handling what Stripe told: thin doors to the verbs."""

import logging

from celery import shared_task
from django.core.cache import cache

from backoffice.webhooks import forgetting, handling
from compensation.consumption import SilentError

log = logging.getLogger(__name__)

AWAKE = "webhooks.handling.awake"


@shared_task
def handle_events(pk: int = 0) -> None:
    """Handle what waits, `pk` and all others; several of these may run at once."""
    cache.delete(AWAKE)
    if handling.handle_events():
        handle_events.delay()


@shared_task
def poll_balances() -> None:
    """No event announces a balance transaction, so they are looked at now and then."""
    try:
        handling.poll_balances()
    except SilentError as error:
        log.warning("Balances cannot be read now: %s", error)


@shared_task
def forget_events() -> None:
    """What was settled long ago."""
    while forgetting.forget_events():
        pass
