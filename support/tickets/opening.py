"""A new ticket."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from backoffice.customers.models.customer import Language
from support.models import Message, Queue, Ticket, TicketEvent
from support.models.ticket import Channel
from support.timeline import record_event

LONGEST_SUBJECT = 300


def open_ticket(  # noqa: PLR0913 - by keyword, most of them optional
    *,
    subject: str,
    text: str,
    channel: str,
    by: User | None = None,
    customer: Customer | None = None,
    requester_name: str = "",
    requester_address: str = "",
    language: str = "",
    queue: Queue | None = None,
    tags: list[str] | None = None,
    external_id: str | None = None,
    **message: Any,
) -> Ticket:
    """A new ticket with the customer's first message; `by` a person who takes it down for them.

    `message` are further fields of the message (html, message_id, to ...). A second call with the
    same `external_id` gives the first ticket. What it is about, its deadlines and its priority
    follow when its event is processed.

    Raises:
        ValidationError: subject or text are empty, or nobody can be answered.
    """
    if external_id and (known := Ticket.objects.filter(external_id=external_id).first()):
        return known
    _check(subject, text, customer, requester_address, channel)
    now = timezone.now()
    ticket = Ticket(
        subject=subject.strip()[:LONGEST_SUBJECT],
        channel=channel,
        language=language or (customer.language if customer else settings.LANGUAGE_CODE),
        queue=queue or default_queue(),
        customer=customer,
        requester_name=(requester_name or (customer.name if customer else ""))[:200],
        requester_address=(requester_address or (customer.email if customer else "")).lower(),
        tags=sorted(set(tags or ())),
        external_id=external_id or None,
        unanswered_since=None if message.get("is_automatic") else now,
        last_message_at=now,
        messages_count=1,
    )
    try:
        # A way back is needed only where the insert can meet the same request's.
        with transaction.atomic(savepoint=bool(external_id)):
            ticket.save(force_insert=True)
            first = _first_message(ticket, text, message)
            record_event(
                ticket.pk, TicketEvent.Kind.OPENED, by=by, message=first.pk, channel=channel
            )
    except IntegrityError:
        if external_id and (known := Ticket.objects.filter(external_id=external_id).first()):
            return known
        raise
    return ticket


def default_queue() -> Queue:
    """Where tickets go that nothing else directs."""
    return Queue.objects.get(is_default=True)


def _check(subject: str, text: str, customer: Customer | None, address: str, channel: str) -> None:
    problems = {}
    if not subject.strip():
        problems["subject"] = _("Say in a few words what it is about.")
    if not text.strip():
        problems["text"] = _("Write what happened.")
    if customer is None and not address and channel != Channel.STAFF:
        problems["requester_address"] = _("Give an address, or nobody can be answered.")
    if problems:
        raise ValidationError(problems)


def _first_message(ticket: Ticket, text: str, fields: dict[str, Any]) -> Message:
    return Message.objects.create(
        **{
            "ticket": ticket,
            "kind": Message.Kind.PUBLIC,
            "direction": Message.Direction.IN,
            "channel": ticket.channel,
            "customer": ticket.customer,
            "author_name": ticket.requester_name,
            "author_address": ticket.requester_address,
            "subject": ticket.subject,
            "text": text,
            "language": Language(ticket.language),
        }
        | fields
    )
