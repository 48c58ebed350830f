"""News from the verbs: somebody is woken."""

from typing import Any

from django.core.cache import cache

from compensation.models import Claim
from support.claims import open_claim_ticket
from support.intake.posted import store_posted
from support.processing import GATHERING
from support.tasks import (
    AWAKE,
    AWAKE_IN,
    AWAKE_OUT,
    AWAKE_WEBHOOKS,
    finish_erasures,
    handle_inbound,
    process_events,
    recalculate_deadlines,
    refresh_waiting,
    send_confirmations,
    send_messages,
    send_staff_notices,
    send_webhooks,
    write_mass_replies,
)


def wake_processing(**more: Any) -> None:
    """At most one waiting wake-up at a time, and that a moment later.

    A slice costs much the same for one ticket as for a hundred, so in a flood they are gathered.
    """
    if cache.add(AWAKE, 1, timeout=2):
        process_events.apply_async(countdown=GATHERING)


def score_again(**more: Any) -> None:
    """By a worker: the queue may be long."""
    refresh_waiting.delay()


def tell_colleagues(**more: Any) -> None:
    """A moment later, so that what happens together goes in one mail."""
    if cache.add("support.staff_notices.awake", 1, timeout=5):
        send_staff_notices.apply_async(countdown=5)


def deadlines_again(**more: Any) -> None:
    """By a worker: the tickets may be many."""
    recalculate_deadlines.delay()


def wake_intake(**more: Any) -> None:
    """Something came in."""
    if cache.add(AWAKE_IN, 1, timeout=2):
        handle_inbound.delay()


def wake_outgoing(**more: Any) -> None:
    """Something waits to be sent; what may still be undone is left to beat."""
    if cache.add(AWAKE_OUT, 1, timeout=2):
        send_messages.delay()


def keep_inbound_mail(event: Any, **more: Any) -> None:
    """A mail that a mail service brought (django-anymail's signal)."""
    store_posted(event.message)


def wake_mass_replies(**more: Any) -> None:
    """A person started one, or let it go on."""
    write_mass_replies.delay()


def take_claim(claim: Claim, **more: Any) -> None:
    """At once and in the same transaction: the customer is told the ticket's number."""
    open_claim_ticket(claim)


def mail_confirmations(**more: Any) -> None:
    """Somebody waits for the link."""
    send_confirmations.delay()


def wake_webhooks(**more: Any) -> None:
    if cache.add(AWAKE_WEBHOOKS, 1, timeout=2):
        send_webhooks.delay()


def erase_by_worker(**more: Any) -> None:
    """It may be much."""
    finish_erasures.delay()
