"""Widgets of the desk's forms."""

from backoffice.customers.widgets import ConditionWidget


class TicketConditionWidget(ConditionWidget):
    """A text area for a condition on tickets, with completion."""

    fields_url = "ticket-condition-fields"
