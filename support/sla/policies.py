"""Which promises hold for a ticket."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Case, Exists, OuterRef, PositiveBigIntegerField, Value, When

from support.business_time import BusinessCalendar
from support.conditions import ConditionError, parse_ticket_condition
from support.models import SlaPolicy, Ticket
from support.sla.hours import hours_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Promises:
    """All active policies in order, and the hours of their calendars."""

    policies: list[SlaPolicy]
    hours: dict[int, BusinessCalendar]

    def hours_under(self, policy: SlaPolicy | None) -> BusinessCalendar | None:
        return self.hours.get(policy.calendar_id) if policy else None


def current_promises() -> Promises:
    """As they stand now. Three queries."""
    policies = list(SlaPolicy.objects.filter(is_active=True).select_related("calendar"))
    hours = {}
    for pk, found in hours_of(policy.calendar for policy in policies).items():
        if isinstance(found, ValidationError):
            log.warning("Calendar %s counts no time: %s", pk, "; ".join(found.messages))
        else:
            hours[pk] = found
    return Promises(policies, hours)


def policy_for(
    tickets: Iterable[Ticket], promises: Promises | None = None
) -> dict[int, SlaPolicy | None]:
    """The first policy in order that fits each ticket, by the ticket's id. One query.

    A policy without a condition fits every ticket; one whose condition can no longer be read fits
    none, and that is logged.
    """
    policies = (promises or current_promises()).policies
    fallback = next((policy for policy in policies if not policy.condition.strip()), None)
    ids = [ticket.pk for ticket in tickets]
    picks = []
    for policy in policies:
        if policy == fallback:
            break
        try:
            condition = parse_ticket_condition(policy.condition, check_values=False)
        except ConditionError as error:
            log.warning("SLA policy “%s” fits no ticket: %s", policy, error)
            continue
        fits = Ticket.objects.filter(condition, pk=OuterRef("pk"))
        picks.append(When(Exists(fits), then=Value(policy.pk)))
    if not picks:
        return dict.fromkeys(ids, fallback)
    pick = Case(*picks, output_field=PositiveBigIntegerField())
    found = Ticket.objects.filter(pk__in=ids).order_by().annotate(pick=pick)
    by_id = {policy.pk: policy for policy in policies}
    return {pk: by_id.get(pick, fallback) for pk, pick in found.values_list("pk", "pick")}
