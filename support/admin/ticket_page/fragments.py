"""Parts of the page that are fetched when they are wanted."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from backoffice.customers.models import Customer
from backoffice.customers.search import find_customers
from support.admin.ticket_page.access import message_for, ticket_for
from support.admin.ticket_page.page import may_of, may_split
from support.answering import unseen
from support.colleagues import colleagues_for
from support.conversation import conversation_of, said_of
from support.models import Ticket
from support.models.ticket import Status

OFFERED = 8
_PLACE = "admin/support/ticket"


def earlier(request: HttpRequest, pk: int) -> HttpResponse:
    """The messages before `before`, and the button for those before them."""
    ticket, user = ticket_for(request, pk, "support.view_message")
    before = request.GET.get("before", "")
    conversation = conversation_of(ticket, before=_number(before) or None)
    context = {
        "ticket": ticket,
        "conversation": conversation,
        "is_earlier": True,
        "may": may_of(user),
        "may_split": may_split(ticket, may_of(user), theirs=ticket.messages_count),
    }
    return TemplateResponse(request, f"{_PLACE}/messages.html", context)


def came(request: HttpRequest, pk: int) -> HttpResponse:
    """What others have said since message `seen`: a line that leads to it, or nothing."""
    ticket, user = ticket_for(request, pk, "support.view_message")
    later = unseen(ticket, user, _number(request.GET.get("seen", "")))
    return TemplateResponse(request, f"{_PLACE}/came.html", {"ticket": ticket, "came": later})


def people(request: HttpRequest, pk: int) -> HttpResponse:
    """Who can be given the ticket, with what they have to do."""
    ticket, user = ticket_for(request, pk, "support.answer_ticket")
    context = {"ticket": ticket, "colleagues": colleagues_for(ticket, user)}
    return TemplateResponse(request, f"{_PLACE}/people.html", context)


def candidates(request: HttpRequest, pk: int) -> HttpResponse:
    """The same customer's other tickets, to merge into."""
    ticket, user = ticket_for(request, pk, "support.merge_ticket")
    context = {"ticket": ticket, "candidates": _of_same_customer(ticket, user)}
    return TemplateResponse(request, f"{_PLACE}/candidates.html", context)


def customers(request: HttpRequest, pk: int) -> HttpResponse:
    """Customers who fit what is typed; before anything is, those with the requester's address."""
    ticket, _user = ticket_for(request, pk, "support.answer_ticket")
    typed = request.GET.get("q", "").strip() or ticket.requester_address
    context = {"ticket": ticket, "found": found_customers(typed), "typed": typed}
    return TemplateResponse(request, f"{_PLACE}/customers.html", context)


def delivery(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """One message again, since its way out goes on."""
    message, user = message_for(request, pk, message_pk, "support.view_message")
    context = {
        "ticket": message.ticket,
        "one": said_of([message])[0],
        "may": may_of(user),
    }
    return TemplateResponse(request, f"{_PLACE}/message.html", context)


def found_customers(typed: str) -> list[Customer]:
    """A few customers whom `typed` may mean, the newest first."""
    ids = find_customers(typed)[:OFFERED]
    rows = Customer.objects.in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


def _of_same_customer(ticket: Ticket, user: Any) -> QuerySet[Ticket]:
    same = {"customer": ticket.customer_id} if ticket.customer_id else {
        "customer": None, "requester_address": ticket.requester_address,
    }  # fmt: skip
    open_ones = Ticket.objects.seen_by(user).filter(**same).exclude(status=Status.CLOSED)
    return open_ones.exclude(pk=ticket.pk).select_related("assignee").order_by("-id")[:OFFERED]


def _number(typed: str) -> int:
    return int(typed) if typed.isdecimal() and len(typed) <= 18 else 0  # noqa: PLR2004
