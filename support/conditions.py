"""Conditions on tickets: status = "new" and customer.segment = "business" and band >= "high".

The language of `backoffice.customers.conditions`, over the fields of `support.condition_fields`.
They say for which tickets an SLA policy holds, a macro is offered and a rule acts.
"""

from django.db.models import Q

from backoffice.customers.condition_syntax import ConditionError, comparisons_of
from backoffice.customers.conditions import parse_condition
from support.condition_fields import TicketSchema
from support.models.ticket import TicketQuerySet

__all__ = ["ConditionError", "matching", "parse_ticket_condition", "parts_of"]


def parse_ticket_condition(text: str, *, check_values: bool = True) -> Q:
    """The filter over Ticket that `text` means; an empty text fits everything.

    Waiting times are counted from the moment of parsing, so parse anew for each use. A ticket of
    no known customer fits `customer.country != "DE"`. Without `check_values` (where a stored
    condition is evaluated) a queue or plan that is gone fits nothing instead of being an error.

    Raises:
        ConditionError: with its place and a remedy.
    """
    return parse_condition(text, check_values=check_values, schema=TicketSchema())


def matching(tickets: TicketQuerySet, condition: str) -> TicketQuerySet:
    """Those of `tickets` that fit a stored condition, each once.

    Raises:
        ConditionError: it could not be stored today (a field is gone, for one).
    """
    return tickets.filter(parse_ticket_condition(condition, check_values=False))


def parts_of(condition: str) -> list[str]:
    """Its comparisons one by one, each a condition of its own.

    Raises:
        ConditionError: as above.
    """
    parse_ticket_condition(condition, check_values=False)
    return comparisons_of(condition, example=TicketSchema.example)
