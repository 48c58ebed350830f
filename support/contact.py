"""Requests of people without an account, from the public form.

Nothing that happens here tells a stranger whether an address is a customer's: pages and mails are
the same for all. A request that was written with a customer's address belongs to that customer
only once the address is proven: by the mailed link, an answer to our mail, or on the account page.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from backoffice.channels.email.tokens import thread_in_addresses
from backoffice.customers.models import Customer
from support import signals
from support.automatic_answers import acknowledge
from support.intake.senders import customer_of
from support.mailing import MailRefusedError, send_notice
from support.models import Message, Ticket, TicketEvent, UnconfirmedRequest
from support.models.ticket import Channel
from support.notices import compose, public_url
from support.requests import Uploads, message_id_of, store_files
from support.tickets import locked, open_ticket, set_customer
from support.tokens import hash_of, token_for

# How long a link that confirms a request works, and what waits for it is kept.
LINK_DAYS = 3


class LinkExpiredError(Exception):
    """The link has expired, or never was."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody wrote on the form. `key` is the form's own: sent twice, it counts once."""

    key: uuid.UUID
    address: str
    subject: str
    text: str
    language: str
    name: str = ""


# --- from the form to a ticket -------------------------------------------------------------------


@transaction.atomic
def open_contact(said: Submission, files: Uploads = ()) -> Ticket:
    """A ticket of what was written; whose customer's it may be stands beside it, unproven.

    Raises:
        ValidationError: subject or text are empty, or a file cannot be kept.
    """
    ticket = _open(said, None)
    first = Message.objects.select_for_update().filter(ticket=ticket).order_by("id")[0]
    if first.message_id:
        return ticket  # the second click of two
    Message.objects.filter(pk=first.pk).update(message_id=message_id_of(str(said.key)))
    store_files(first, files)
    Ticket.objects.filter(pk=ticket.pk).update(supposed_customer=customer_of(said.address))
    acknowledge(ticket)
    return ticket


@transaction.atomic
def ask_to_confirm(said: Submission) -> UnconfirmedRequest:
    """Keep what was written and mail a link to its address that opens the ticket."""
    waiting, is_new = UnconfirmedRequest.objects.get_or_create(
        key=said.key,
        defaults={
            "token_hash": hash_of(token_for("contact", str(said.key))),
            "name": said.name[:200],
            "address": said.address,
            "subject": said.subject,
            "text": said.text,
            "language": said.language,
        },
    )
    if is_new:
        transaction.on_commit(lambda: signals.mails_waiting.send(sender=UnconfirmedRequest))
    return waiting


@transaction.atomic
def confirm(token: str) -> Ticket:
    """Open the ticket of a mailed link; the address is proven by it. Twice gives the same ticket.

    Raises:
        LinkExpiredError.
    """
    row = waiting_for(token).select_for_update().first()
    if row is None:
        raise LinkExpiredError
    if row.ticket is not None:
        return row.ticket
    said = Submission(row.key, row.address, row.subject, row.text, row.language, row.name)
    row.ticket = _open(said, customer_of(row.address))
    row.save(update_fields=["ticket"])
    acknowledge(row.ticket)
    return row.ticket


def waiting_for(token: str) -> QuerySet[UnconfirmedRequest]:
    """The request that a mailed link speaks of, while the link works."""
    since = timezone.now() - timedelta(days=LINK_DAYS)
    return UnconfirmedRequest.objects.filter(token_hash=hash_of(token), created_at__gt=since)


def _open(said: Submission, customer: Customer | None) -> Ticket:
    return open_ticket(
        subject=said.subject,
        text=said.text,
        channel=Channel.WEB,
        customer=customer,
        requester_name=said.name,
        requester_address=said.address,
        language=said.language,
        external_id=f"contact:{said.key}",
    )


# --- links by mail -------------------------------------------------------------------------------


def send_confirmations() -> int:
    """Mail the links that wait; how many went out. What a killed worker left is taken again."""
    sent = 0
    while (row := _send_next()) is not None:
        sent += 1 if row else 0
        if not row:
            break  # the mail server is away: the next run tries again
    return sent


@transaction.atomic
def _send_next() -> bool | None:
    """Whether one went out; None where none waits."""
    since = timezone.now() - timedelta(days=1)
    waiting = UnconfirmedRequest.objects.filter(sent_at=None, created_at__gt=since, ticket=None)
    row = waiting.select_for_update(skip_locked=True).order_by("id").first()
    if row is None:
        return None
    notice = compose(
        "contact_confirm",
        language=row.language,
        customer=None,
        days=LINK_DAYS,
        url=public_url("contact-confirm", token_for("contact", str(row.key))),
    )
    try:
        went_out = send_notice(notice, to=row.address, mail_id=f"contact.{row.key}")
    except MailRefusedError:
        row.delete()  # no such address: nobody could ever confirm it
        return True
    if went_out:
        UnconfirmedRequest.objects.filter(pk=row.pk).update(sent_at=timezone.now())
    return went_out


def forget_unconfirmed() -> int:
    """Delete what nobody confirmed in time, and what became a ticket; how many."""
    until = timezone.now() - timedelta(days=LINK_DAYS)
    return UnconfirmedRequest.objects.filter(created_at__lt=until).delete()[0]


# --- whose it is ---------------------------------------------------------------------------------


def unproven_of(customer: Customer) -> QuerySet[Ticket]:
    """Requests that somebody wrote with an address of the customer's, the newest first."""
    return Ticket.objects.filter(supposed_customer=customer, customer=None).order_by("-id")


@transaction.atomic
def claim(ticket: Ticket, customer: Customer, *, is_theirs: bool) -> None:
    """The signed-in customer says whether the request is theirs."""
    row = locked(ticket)
    if row.supposed_customer_id != customer.pk:
        return
    Ticket.objects.filter(pk=row.pk).update(supposed_customer=None)
    if is_theirs and row.customer_id is None:
        set_customer(row, customer, by=None)


def prove_addresses(events: Iterable[TicketEvent]) -> None:
    """Give tickets to the customer whose address answered our mail to it.

    A step of `support.processing`. Proof is what only a reader of our mail has: the signed address
    it came from, or its Message-ID.
    """
    ids = [event.data["message"] for event in events if event.kind == TicketEvent.Kind.MESSAGE_IN]
    answers = Message.objects.filter(
        pk__in=ids,
        channel=Channel.EMAIL,
        is_automatic=False,
        ticket__customer=None,
        ticket__supposed_customer__isnull=False,
    ).select_related("ticket__supposed_customer")
    for answer in answers:
        ticket = answer.ticket
        is_from_them = answer.author_address.lower() == ticket.requester_address.lower()
        if is_from_them and ticket.supposed_customer and _knows_our_mail(answer):
            claim(ticket, ticket.supposed_customer, is_theirs=True)


def _knows_our_mail(answer: Message) -> bool:
    if thread_in_addresses([*answer.to, *answer.cc]) == str(answer.ticket_id):
        return True
    ours = Q(direction=Message.Direction.OUT, message_id=answer.in_reply_to)
    return bool(answer.in_reply_to) and answer.ticket.messages.filter(ours).exists()
