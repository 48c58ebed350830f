"""How lists of the API are narrowed."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from compensation.models import Award
from incidents.models import Incident
from support.models import Goodwill, IncidentMatch, MassReply, Queue, Survey, Ticket
from support.models.ticket import Band, Channel, Status


class TicketFilter(filters.FilterSet):  # type: ignore[misc]
    """Names are looked up first: then an index finds the tickets."""

    status = filters.MultipleChoiceFilter(choices=Status.choices)
    channel = filters.ChoiceFilter(choices=Channel.choices)
    band = filters.ChoiceFilter(choices=Band.choices)
    queue = filters.CharFilter(method="of_queue", label="The queue's short name.")
    assignee = filters.CharFilter(method="of_assignee", label="E-mail address; “none”: nobody's.")
    customer = filters.CharFilter(method="of_customer", label="The customer's reference.")
    incident = filters.CharFilter(method="of_incident", label="The incident's number.")
    tag = filters.CharFilter(method="with_tag")
    created_after = filters.IsoDateTimeFilter("created_at", "gte")
    created_before = filters.IsoDateTimeFilter("created_at", "lt")
    updated_after = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = Ticket
        fields = ["language"]

    def of_queue(self, tickets: QuerySet[Ticket], name: str, slug: str) -> QuerySet[Ticket]:
        return tickets.filter(queue=_id(Queue.objects.filter(slug=slug)))

    def of_assignee(self, tickets: QuerySet[Ticket], name: str, email: str) -> QuerySet[Ticket]:
        if email == "none":
            return tickets.filter(assignee=None)
        return tickets.filter(assignee=_id(User.objects.filter(email__iexact=email)))

    def of_customer(self, tickets: QuerySet[Ticket], name: str, ref: str) -> QuerySet[Ticket]:
        return tickets.filter(customer=_id(Customer.objects.filter(reference=ref)))

    def of_incident(self, tickets: QuerySet[Ticket], name: str, number: str) -> QuerySet[Ticket]:
        return tickets.filter(incident=_id(Incident.objects.filter(number=number)))

    def with_tag(self, tickets: QuerySet[Ticket], name: str, tag: str) -> QuerySet[Ticket]:
        return tickets.filter(tags__contains=[tag.lower()])


class GoodwillFilter(filters.FilterSet):  # type: ignore[misc]
    """By ticket, customer and state."""

    ticket = filters.CharFilter(method="of_ticket", label="The ticket's number.")
    customer = filters.CharFilter("award__customer__reference", label="The customer's reference.")
    state = filters.ChoiceFilter(field_name="award__state", choices=Award.State.choices)

    class Meta:
        model = Goodwill
        fields: list[str] = []

    def of_ticket(self, rows: QuerySet[Goodwill], name: str, number: str) -> QuerySet[Goodwill]:
        digits = number.upper().removeprefix("T-")
        # longer than any number there can be
        known = digits.isdecimal() and len(digits) < 19  # noqa: PLR2004
        return rows.filter(ticket=int(digits)) if known else rows.none()


class MatchFilter(filters.FilterSet):  # type: ignore[misc]
    incident = filters.CharFilter("incident__number")

    class Meta:
        model = IncidentMatch
        fields = ["state"]


class MassReplyFilter(filters.FilterSet):  # type: ignore[misc]
    incident = filters.CharFilter("incident__number")

    class Meta:
        model = MassReply
        fields = ["state"]


class SurveyFilter(filters.FilterSet):  # type: ignore[misc]
    incident = filters.CharFilter("incident__number")
    customer = filters.CharFilter("customer__reference")
    answered = filters.BooleanFilter("answered_at", "isnull", exclude=True)

    class Meta:
        model = Survey
        fields = ["kind"]


def _id(rows: QuerySet[Any]) -> int | None:
    """The row's key; one that no row has where there is none."""
    return rows.values_list("pk", flat=True).first() or 0
