"""The page of one ticket: the conversation, beside it the customer, below it the composer."""

from support.admin.ticket_page.mixin import TicketPage

__all__ = ["TicketPage"]
