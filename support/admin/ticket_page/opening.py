"""A ticket that a colleague takes down for a customer: a call, a word in the corridor."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from backoffice.customers.models.customer import Language
from support.admin.ticket_page.access import reader
from support.admin.ticket_page.fragments import found_customers
from support.forms import StaffTicketForm
from support.models import Ticket
from support.models.ticket import Channel
from support.tickets import assign, open_ticket


def open_for_customer(request: HttpRequest) -> HttpResponse:
    """The form, and what it opens."""
    user = reader(request, "support.answer_ticket")
    form = StaffTicketForm(request.POST or None, user=user, initial=_from_link(request))
    if form.is_valid():
        data = dict(form.cleaned_data)
        is_mine = data.pop("is_mine")
        try:
            ticket = open_ticket(channel=Channel.STAFF, by=user, **data)
            if is_mine:
                assign(ticket, user, by=user)
        except ValidationError as error:
            for field, lines in error.message_dict.items():
                form.add_error(field if field in form.fields else None, lines)
        else:
            return redirect("admin:support_ticket_change", ticket.pk)
    context = {
        **admin.site.each_context(request),
        "opts": Ticket._meta,
        "title": _("A ticket for a customer"),
        "form": form,
        "customer": form.chosen_customer(),
        "languages": Language.choices,
    }
    return TemplateResponse(request, "admin/support/ticket/new.html", context)


def customers(request: HttpRequest) -> HttpResponse:
    """Customers who fit what is typed, to choose from."""
    reader(request, "support.answer_ticket")
    typed = request.GET.get("q", "").strip()
    context = {"found": found_customers(typed), "typed": typed, "chooses": True}
    return TemplateResponse(request, "admin/support/ticket/customers.html", context)


def _from_link(request: HttpRequest) -> dict[str, Any]:
    customer = request.GET.get("customer", "")
    return {"customer": customer} if customer.isdecimal() else {}
