"""One message from outside, into the ticket where it belongs or a new one."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.channels.base import Incoming, Nature
from support.addresses import without_tag
from support.attachments import store_attachment
from support.automatic_answers import acknowledge
from support.intake.conversations import Found, answered_messages, find_ticket
from support.intake.fallback import NO_ADDRESS
from support.intake.senders import customer_of, language_of
from support.intake.wires import wire_in
from support.models import Inbound, Message, Queue, Ticket, TicketEvent
from support.tickets import add_note, open_ticket, receive_message
from support.timeline import record_event

# How long one waits for the message it answers, where that was kept before it and not handled yet.
WAIT = timedelta(seconds=2)
LONGEST_ADDRESS = 320
LONGEST_PROBLEM = 300


def take_in(row: Inbound) -> None:
    """Make a message of `row`, which is locked, within the caller's transaction."""
    incoming = wire_in(row.channel).parse(bytes(row.raw))
    if _answers_what_waits(row, incoming):
        Inbound.objects.filter(pk=row.pk).update(
            next_at=timezone.now() + WAIT, attempts=F("attempts") - 1
        )
        return
    if incoming.nature is Nature.LOOP and (ours := _ours(incoming)):
        _finish(row, ours)
        return
    if incoming.nature is Nature.BOUNCE:
        _mark_bounced(incoming)
    found = find_ticket(incoming)
    if found.ticket is not None and found.goes_on:
        message = _go_on(found.ticket, incoming)
    else:
        message = _open(row, incoming, found)
    _keep_files(message, incoming)
    _finish(row, message)


def _go_on(ticket: Ticket, incoming: Incoming) -> Message:
    customer = customer_of(incoming.sender.address) or ticket.customer
    return receive_message(
        ticket,
        **_fields(incoming),
        customer=customer,
        author_name=incoming.sender.name[:200],
        author_address=incoming.sender.address[:LONGEST_ADDRESS],
        language=language_of(incoming.text, ticket.language),
    )


def _open(row: Inbound, incoming: Incoming, found: Found) -> Message:
    """A new ticket; it is acknowledged unless a machine wrote, and points at the one it named."""
    customer = customer_of(incoming.sender.address)
    fields = _fields(incoming)
    ticket = open_ticket(
        subject=fields.pop("subject") or _("(no subject)"),
        channel=row.channel,
        customer=customer,
        requester_name=incoming.sender.name,
        requester_address=incoming.sender.address[:LONGEST_ADDRESS] or NO_ADDRESS,
        language=customer.language if customer else language_of(incoming.text),
        queue=_queue(row, incoming),
        **fields,
    )
    message = ticket.messages.get()
    if found.ticket is not None:
        words = _("This names %(ticket)s, but does not go on there: %(why)s.")
        add_note(
            ticket, by=None, text=words % {"ticket": found.ticket.number, "why": found.why_not}
        )
    if incoming.may_be_answered:
        acknowledge(ticket)
    return message


def _fields(incoming: Incoming) -> dict[str, Any]:
    return {
        "subject": incoming.subject,
        "text": incoming.text.strip() or _("(no text)"),
        "html": incoming.html,
        "message_id": incoming.message_id,
        "in_reply_to": incoming.answers[0] if incoming.answers else "",
        "to": [party.address[:LONGEST_ADDRESS] for party in incoming.recipients[:50]],
        "cc": [party.address[:LONGEST_ADDRESS] for party in incoming.copied[:50]],
        "is_automatic": incoming.nature is not Nature.PERSON,
        "unreadable": " ".join(incoming.problems)[:LONGEST_PROBLEM],
    }


def _queue(row: Inbound, incoming: Incoming) -> Queue | None:
    """The queue that one of these addresses belongs to, the first that was written to."""
    parties = (*incoming.recipients, *incoming.copied)
    written_to = [without_tag(party.address) for party in parties] + [row.account.lower()]
    queues = {
        queue.email.lower(): queue
        for queue in Queue.objects.filter(is_active=True).exclude(email="")
    }
    return next((queues[address] for address in written_to if address in queues), None)


def _keep_files(message: Message, incoming: Incoming) -> None:
    """What cannot be kept as a file is told; the raw message has it still."""
    refused = []
    for file in incoming.files:
        try:
            store_attachment(file.name, file.content, message=message, content_id=file.content_id)
        except ValidationError as error:
            refused += error.messages
    if refused:
        told = " ".join(filter(None, [message.unreadable, *refused]))[:LONGEST_PROBLEM]
        Message.objects.filter(pk=message.pk).update(unreadable=told)


def _mark_bounced(incoming: Incoming) -> None:
    for message in answered_messages(incoming)[:1]:
        words = " ".join(incoming.text.split())[:500]
        Message.objects.filter(pk=message.pk).update(
            delivery=Message.Delivery.BOUNCED, delivery_error=words
        )
        record_event(
            message.ticket_id, TicketEvent.Kind.DELIVERY, by=None, message=message.pk,
            state=Message.Delivery.BOUNCED,
        )  # fmt: skip


def _ours(incoming: Incoming) -> Message | None:
    """The message of ours that came back to us."""
    rows = Message.objects.filter(message_id=incoming.message_id, direction=Message.Direction.OUT)
    return rows.exclude(message_id="").first()


def _answers_what_waits(row: Inbound, incoming: Incoming) -> bool:
    return (
        Inbound.objects.filter(
            channel=row.channel,
            account=row.account,
            external_id__in=incoming.answers,
            state=Inbound.State.NEW,
            pk__lt=row.pk,
        ).exists()
        if incoming.answers
        else False
    )


def _finish(row: Inbound, message: Message) -> None:
    row.state = Inbound.State.HANDLED
    row.ticket_id = message.ticket_id
    row.message = message
    row.error = ""
    row.handled_at = timezone.now()
    row.save(update_fields=["state", "ticket", "message", "error", "handled_at"])
