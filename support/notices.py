"""The mails that customers get from the desk, in their language: subject, text, simple HTML."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer
from support.models import Agent, Message, Ticket


class NoticeKind(models.TextChoices):
    """What a mail is, which decides what stands around the words."""

    ANSWER = "answer", _("answer")
    # No person wrote it: the first mail after a request came in.
    ACKNOWLEDGEMENT = "acknowledgement", _("acknowledgement")


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail ready to be sent. The ticket's number joins the subject when it is sent."""

    subject: str
    text: str
    html: str


def render(message: Message, kind: str = "") -> Notice:
    """The mail of an outgoing message, in the message's language and its reader's time zone.

    `kind` is a `NoticeKind`; empty: as the message says. The message's text stands in it as it is;
    around it stand the signature, how to answer, and a link to the request for who has an account.
    """
    kind = kind or (NoticeKind.ACKNOWLEDGEMENT if message.is_automatic else NoticeKind.ANSWER)
    ticket = message.ticket
    return compose(
        str(NoticeKind(kind)),
        language=message.language,
        customer=ticket.customer,
        ticket=ticket,
        message=message,
        signature=_signature(message),
        request_url=request_url(ticket),
    )


def acknowledgement_text(ticket: Ticket) -> str:
    """What the first automatic message of a ticket says, in the ticket's language.

    It repeats nothing that the requester wrote: whoever gives a stranger's address can have no
    words of theirs sent there.
    """
    with translation.override(ticket.language):
        context = {"ticket": ticket, "request_url": request_url(ticket)}
        return render_to_string("support/email/acknowledgement_words.txt", context).strip()


def compose(name: str, *, language: str, customer: Customer | None, **context: Any) -> Notice:
    """The mail made of templates/support/email/`name`_subject.txt, .txt and .html."""
    with translation.override(language), timezone.override(_zone(customer)):
        parts = [
            render_to_string(f"support/email/{name}{ending}", {"language": language, **context})
            for ending in ("_subject.txt", ".txt", ".html")
        ]
    return Notice(" ".join(parts[0].split()), f"{parts[1].strip()}\n", parts[2].strip())


def request_url(ticket: Ticket) -> str:
    """Where the customer sees the request; empty for who has no account."""
    return public_url("portal-request", ticket.pk) if ticket.customer_id else ""


def public_url(name: str, *args: object) -> str:
    """The address of a page of ours, with scheme and host, for mails."""
    return str(settings.PUBLIC_URL).rstrip("/") + reverse(name, args=args)


def _signature(message: Message) -> str:
    """The agent's own, else the queue's."""
    if message.author_id:
        own = Agent.objects.filter(user=message.author_id).values_list("signature", flat=True)
        if signature := own.first():
            return str(signature)
    return str(message.ticket.queue.signature)


def _zone(customer: Customer | None) -> ZoneInfo:
    try:
        return ZoneInfo(customer.time_zone if customer else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
