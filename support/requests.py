"""A customer's own requests: what the account pages show of tickets, and what customers do there.

Customers see their words and our answers, never what colleagues write to each other, nor an
answer that still waits or was taken back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.customers.models import Component, Customer
from backoffice.states import MoveError
from compensation.models import Award
from incidents.models import Incident
from support.attachments import store_attachment
from support.automatic_answers import acknowledge
from support.matching import link
from support.models import Attachment, Message, Ticket, TicketEvent
from support.models.ticket import UNSOLVED, Channel, Status
from support.tickets import (
    add_note,
    change_tags,
    locked,
    open_ticket,
    receive_message,
    set_status,
)
from support.timeline import record_event

Uploads: TypeAlias = "Iterable[UploadedFile[Any]]"

# Of a message written on a page.
MOST_FILES = 10


class RequestState(models.TextChoices):
    """A ticket's status in the customer's words."""

    RECEIVED = "received", gettext_lazy("Received")
    IN_WORK = "in_work", gettext_lazy("We are working on it")
    YOUR_TURN = "your_turn", gettext_lazy("Waiting for your answer")
    SOLVED = "solved", gettext_lazy("Solved")
    CLOSED = "closed", gettext_lazy("Closed")


STATES = {
    Status.NEW: RequestState.RECEIVED,
    Status.OPEN: RequestState.IN_WORK,
    Status.WAITING: RequestState.YOUR_TURN,
    Status.ON_HOLD: RequestState.IN_WORK,
    Status.SOLVED: RequestState.SOLVED,
    Status.CLOSED: RequestState.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes on a page of ours: the customer, and the person and address to answer."""

    customer: Customer
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What a new request is about, as far as its writer says so."""

    incident: Incident | None = None
    component: Component | None = None
    award: Award | None = None
    # An earlier request, closed by now.
    earlier: Ticket | None = None


def state_of(ticket: Ticket) -> RequestState:
    """Where the request stands, as its customer would say it."""
    return STATES[Status(ticket.status)]


# --- what is shown -------------------------------------------------------------------------------


def requests_of(customer: Customer) -> QuerySet[Ticket]:
    """The customer's requests, those that had news last first."""
    return Ticket.objects.filter(customer=customer, merged_into=None).order_by(
        "-last_message_at", "-id"
    )


def request_of(customer: Customer, pk: int) -> Ticket | None:
    """The customer's own request, or where it went on; None if it is nobody's or another's."""
    own = Ticket.objects.filter(customer=customer)
    ticket = own.filter(pk=pk).first()
    while ticket is not None and (into := ticket.merged_into_id):
        ticket = own.filter(pk=int(into)).first()
    return ticket


def conversation(ticket: Ticket) -> QuerySet[Message]:
    """What the customer may read of a ticket, the oldest first, with its files."""
    said = Q(direction=Message.Direction.IN, is_automatic=False)
    is_due = Q(send_at__lte=timezone.now()) | Q(delivery=Message.Delivery.SENT)
    out = Q(is_due, direction=Message.Direction.OUT)
    files = Prefetch("attachments", Attachment.objects.filter(content_id="").order_by("id"))
    return (
        ticket.messages.exclude(kind=Message.Kind.INTERNAL)
        .filter(said | out & ~Q(delivery=Message.Delivery.CANCELLED))
        .prefetch_related(files)
        .order_by("id")
    )


def attachment_of(customer: Customer, pk: int) -> Attachment | None:
    """A file out of the customer's own conversations."""
    found = Attachment.objects.filter(pk=pk, message__ticket__customer=customer)
    attachment = found.select_related("message__ticket").first()
    message = attachment.message if attachment else None
    if message is None or not conversation(message.ticket).filter(pk=message.pk).exists():
        return None
    return attachment


def components_of(customer: Customer) -> QuerySet[Component]:
    """What the customer uses, as far as the public may know of it."""
    return Component.objects.filter(
        uses__subscription__customer=customer, is_public=True
    ).distinct()


# --- what customers do ---------------------------------------------------------------------------


@transaction.atomic
def open_request(  # noqa: PLR0913 - by keyword
    writer: Writer,
    *,
    subject: str,
    text: str,
    key: str,
    files: Uploads = (),
    about: About | None = None,
) -> Ticket:
    """A new request from the account pages. Sent twice under one `key`, it is one.

    Raises:
        ValidationError: subject or text are empty, or a file cannot be kept.
    """
    ticket = open_ticket(
        subject=subject,
        text=text,
        channel=Channel.WEB,
        customer=writer.customer,
        requester_name=writer.name,
        requester_address=writer.address,
        external_id=f"request:{writer.customer.pk}:{key}",
    )
    first = Message.objects.select_for_update().filter(ticket=ticket).order_by("id")[0]
    if first.message_id:
        return ticket  # the second click of two
    Message.objects.filter(pk=first.pk).update(message_id=message_id_of(key))
    store_files(first, files)
    _say_about(ticket, about or About())
    acknowledge(ticket)
    ticket.refresh_from_db()
    return ticket


@transaction.atomic
def answer_request(
    ticket: Ticket,
    writer: Writer,
    *,
    text: str,
    key: str,
    files: Uploads = (),
) -> Message:
    """The customer's further word, which reopens what was solved. Sent twice, it is one.

    Raises:
        MoveError: the ticket is closed.
        ValidationError: the text is empty, or a file cannot be kept.
    """
    if not text.strip():
        raise ValidationError({"text": _("Write something first.")})
    row = locked(ticket)
    if known := row.messages.filter(message_id=message_id_of(key)).first():
        return known
    message = receive_message(
        row,
        text=text.strip(),
        channel=Channel.WEB,
        customer=writer.customer,
        author_name=writer.name or writer.customer.name,
        author_address=writer.address or writer.customer.email,
        message_id=message_id_of(key),
    )
    store_files(message, files)
    return message


def solve_request(ticket: Ticket) -> Ticket:
    """The customer says that it is solved. One that is solved already stays so.

    Raises:
        MoveError: it is closed.
    """
    if ticket.status == Status.CLOSED:
        raise MoveError(_("This request is closed."))
    if ticket.status not in UNSOLVED:
        return ticket
    return set_status(ticket, Status.SOLVED, by=None, reason="customer: solved")


def store_files(message: Message, files: Uploads) -> None:
    """Keep what was uploaded with a message.

    Raises:
        ValidationError: one is too large, empty or a program.
    """
    for file in files:
        store_attachment(file.name or "", file.read(), message=message)


def message_id_of(key: str) -> str:
    """Stands for a Message-ID, so that the same form sent again is known."""
    return f"{key}@request.invalid"


def _say_about(ticket: Ticket, about: About) -> None:
    if about.incident is not None:
        link(ticket, about.incident, by=None, reason="customer's choice")
    tags = [f"component:{about.component.key}"[:50]] if about.component else []
    if about.award is not None:
        tags.append("credit")
        add_note(ticket, by=None, text=f"Asked from the credits page, about {about.award}.")
    if tags:
        change_tags(ticket, by=None, add=tags, reason="customer's choice")
    if about.earlier is not None:
        add_note(ticket, by=None, text=f"Goes on with {about.earlier.number}, which is closed.")
        record_event(about.earlier.pk, TicketEvent.Kind.CHANGED, by=None, followed_by=ticket.pk)
