"""Work behind the desk: thin doors to the verbs."""

import time

from celery import shared_task
from django.core.cache import cache

from support import priority, processing, sla, staff_notices

AWAKE = "support.processing.awake"
LONGEST = 30  # seconds of one task; what is left goes to the next


@shared_task
def process_events() -> None:
    """Process what waits; several of these may run at once."""
    cache.delete(AWAKE)
    until = time.monotonic() + LONGEST
    while processing.process_events():
        if time.monotonic() > until:
            process_events.delay()
            return


@shared_task
def refresh_waiting() -> None:
    """Waiting raises the priority."""
    priority.refresh_waiting()


@shared_task
def send_staff_notices() -> None:
    """Colleagues' mails."""
    while staff_notices.send_staff_notices():
        pass


@shared_task
def tell_deadlines() -> None:
    """Warn of the deadlines that are near, and escalate those that were missed."""
    until = time.monotonic() + LONGEST
    while sla.tell_deadlines() and time.monotonic() < until:
        pass


@shared_task
def recalculate_deadlines() -> None:
    """Go on with what was asked for; several of these may run at once."""
    until = time.monotonic() + LONGEST
    while sla.recalculate_slice():
        if time.monotonic() > until:
            recalculate_deadlines.delay()
            return
