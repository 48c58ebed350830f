"""Work behind the desk: thin doors to the verbs."""

import logging
import time

from celery import shared_task
from django.core.cache import cache

from backoffice.channels.email.imap import FetchError
from support import (
    addresses,
    assignment,
    automation,
    contact,
    intake,
    mass_reply,
    matching,
    outgoing,
    priority,
    privacy,
    processing,
    sla,
    staff_notices,
    surveys,
    webhooks,
)

log = logging.getLogger(__name__)

AWAKE = "support.processing.awake"
AWAKE_IN = "support.intake.awake"
AWAKE_WEBHOOKS = "support.webhooks.awake"
AWAKE_OUT = "support.outgoing.awake"
LONGEST = 30  # seconds of one task; what is left goes to the next


@shared_task
def process_events() -> None:
    """Process what waits; several of these may run at once. What follows wakes the next."""
    cache.delete(AWAKE)
    until = time.monotonic() + LONGEST
    while processing.process_events() == processing.SLICE:
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


@shared_task
def look_again() -> None:
    """Match tickets to an incident that was declared, or whose components changed, after them."""
    matching.look_again()


@shared_task
def fetch_mail(address: str = "") -> None:
    """Fetch from every mailbox, each by a task of its own, or from that of `address`."""
    for mailbox in addresses.mailboxes():
        if not address:
            fetch_mail.delay(mailbox.address)
        elif mailbox.address == address:
            try:
                intake.fetch_mail(mailbox)
            except FetchError:
                # Beat asks again in some seconds.
                log.warning("Mail cannot be fetched", exc_info=True)


@shared_task
def handle_inbound(ids: tuple[int, ...] = ()) -> None:
    """Make tickets and messages of what came in; several of these may run at once."""
    cache.delete(AWAKE_IN)
    if intake.handle_inbound(ids):
        handle_inbound.delay(ids)


@shared_task
def send_messages() -> None:
    """Send what is due; several of these may run at once."""
    cache.delete(AWAKE_OUT)
    outgoing.settle_lost()
    if outgoing.send_messages():
        send_messages.delay()


@shared_task
def assign_waiting() -> None:
    """Begin and end absences, and give out what found nobody yet."""
    assignment.end_absences()
    assignment.begin_absences()
    assignment.assign_waiting()


@shared_task
def write_mass_replies() -> None:
    """Write on until all is written; at the limit of the rate it waits a second."""
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        done = mass_reply.write_slice()
        if done.is_over:
            return
        if not done.handled:
            time.sleep(1)
    write_mass_replies.delay()


@shared_task
def run_timed_rules() -> None:
    """The rules whose time has come."""
    until = time.monotonic() + LONGEST
    while automation.run_timed_rules() and time.monotonic() < until:
        pass


@shared_task
def send_confirmations() -> None:
    """The links that the public form mails."""
    contact.send_confirmations()


@shared_task
def forget_unconfirmed() -> None:
    """What nobody confirmed in time."""
    contact.forget_unconfirmed()


@shared_task
def ask_customers() -> None:
    """About tickets that were solved and incidents that ended; then mail what waits."""
    surveys.ask_about_tickets()
    surveys.ask_about_incidents()
    send_surveys.delay()


@shared_task
def send_surveys() -> None:
    """What waits to be asked; several of these may run at once."""
    until = time.monotonic() + LONGEST
    while surveys.send_surveys(limit=20):
        if time.monotonic() > until:
            send_surveys.delay()
            return


@shared_task
def send_webhooks() -> None:
    """Tell other systems what waits for them; several of these may run at once."""
    cache.delete(AWAKE_WEBHOOKS)
    until = time.monotonic() + LONGEST
    while webhooks.send_deliveries():
        if time.monotonic() > until:
            send_webhooks.delay()
            return


@shared_task
def forget_webhooks() -> None:
    """The log of what arrived long ago."""
    while webhooks.forget_deliveries():
        pass


@shared_task
def finish_erasures() -> None:
    """What was asked for, and what was interrupted."""
    privacy.finish_erasures()
