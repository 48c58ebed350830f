"""The ticket in the admin: the queue, where agents live, and the page of one."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from support.admin.goodwill import TicketGoodwill
from support.admin.ticket_list import TicketList
from support.admin.ticket_page import TicketPage
from support.models import Ticket


@admin.register(Ticket)
class TicketAdmin(TicketPage, TicketGoodwill, TicketList, ModelAdmin):  # type: ignore[misc]
    """Everything that changes a ticket is a button or the composer, never a form field."""
