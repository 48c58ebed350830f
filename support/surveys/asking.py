"""Whom to ask, and about what: a row each, mailed afterwards.

Who was asked stands in the rows alone, so a run that was killed goes on where it was.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils import timezone

from backoffice.customers.models import Customer
from compensation.models import Award
from compensation.models.award import AwardState
from incidents.models import Exposure, Incident
from support.models import Message, Survey, Ticket
from support.models.ticket import Channel, Status
from support.tokens import hash_of, token_for

SLICE = 1000
# Nobody is asked about what lies further back, so that switching it on asks about no old times.
WINDOW = timedelta(days=7)
BY_MAIL = (Channel.EMAIL, Channel.WEB, Channel.API, Channel.STAFF)
# What the customer knows that they got.
_GIVEN = (AwardState.APPROVED, AwardState.SENDING, AwardState.UNKNOWN, AwardState.ISSUED)


def key_of(survey: Survey) -> str:
    """What a survey's link is made of: once a ticket, once an incident and customer."""
    if survey.kind == Survey.Kind.CSAT:
        return f"csat:{survey.ticket_id}"
    return f"nps:{survey.incident_id}:{survey.customer_id}"


def ask_about_tickets() -> int:
    """Ask once about each ticket that was solved SUPPORT_CSAT_DELAY_HOURS ago; how many.

    Not where no person of ours answered, where the last answer was a mass reply (unless
    SUPPORT_CSAT_AFTER_MASS_REPLY), where only machines wrote, or where nobody has an address.
    """
    delay = settings.SUPPORT_CSAT_DELAY_HOURS
    if delay < 0:
        return 0
    solved_before = timezone.now() - timedelta(hours=delay)
    asked, last = 0, 0
    while tickets := list(_to_ask(solved_before).filter(pk__gt=last)[:SLICE]):
        last = tickets[-1].pk
        given = _awards(tickets)
        asked += _store(
            Survey(
                kind=Survey.Kind.CSAT,
                ticket=ticket,
                incident_id=ticket.incident_id,
                customer_id=ticket.customer_id,
                award_id=given.get(ticket.pk),
                address=ticket.requester_address,
            )
            for ticket in tickets
        )
    return asked


def ask_about_incidents() -> int:
    """Ask customers whom an incident hit, SUPPORT_NPS_DELAY_DAYS after its end; how many.

    SUPPORT_NPS_SHARE of 100, always the same ones of an incident; nobody twice within
    SUPPORT_NPS_REST_DAYS, nor twice about one incident.
    """
    if settings.SUPPORT_NPS_SHARE <= 0:
        return 0
    ended_before = timezone.now() - timedelta(days=settings.SUPPORT_NPS_DELAY_DAYS)
    incidents = Incident.objects.filter(
        kind=Incident.Kind.INCIDENT,
        resolved_at__lte=ended_before,
        resolved_at__gt=ended_before - WINDOW,
    )
    return sum(_ask_about(incident) for incident in incidents.order_by("resolved_at", "id"))


def _ask_about(incident: Incident) -> int:
    asked, last = 0, 0
    while customers := list(_to_ask_about(incident).filter(pk__gt=last)[:SLICE]):
        last = customers[-1].pk
        awards = dict(
            Award.objects.filter(incident=incident, customer__in=customers, state__in=_GIVEN)
            .order_by("customer_id", "-id")
            .values_list("customer_id", "id")
        )
        asked += _store(
            Survey(
                kind=Survey.Kind.NPS,
                incident=incident,
                customer=customer,
                award_id=awards.get(customer.pk),
                address=customer.email,
            )
            for customer in customers
        )
    return asked


def _to_ask(solved_before: object) -> QuerySet[Ticket]:
    said = Message.objects.filter(ticket=OuterRef("pk"), is_automatic=False)
    answers = said.filter(direction=Message.Direction.OUT).exclude(
        delivery=Message.Delivery.CANCELLED
    )
    tickets = Ticket.objects.filter(
        status__in=[Status.SOLVED, Status.CLOSED],
        solved_at__lte=solved_before,
        solved_at__gt=timezone.now() - timedelta(hours=settings.SUPPORT_CSAT_DELAY_HOURS) - WINDOW,
        merged_into=None,
        channel__in=BY_MAIL,
        requester_address__contains="@",
    ).filter(
        Exists(answers),
        Exists(said.filter(direction=Message.Direction.IN)),
        ~Exists(Survey.objects.filter(ticket=OuterRef("pk"), kind=Survey.Kind.CSAT)),
    )
    if not settings.SUPPORT_CSAT_AFTER_MASS_REPLY:
        last = answers.order_by("-id").values("mass_reply")[:1]
        tickets = tickets.alias(last_mass_reply=Subquery(last)).filter(last_mass_reply=None)
    return tickets.order_by("id")


def _to_ask_about(incident: Incident) -> QuerySet[Customer]:
    here = OuterRef("pk")
    hit = Exposure.objects.filter(incident=incident, customer=here).filter(
        Q(major_seconds__gt=0) | Q(partial_seconds__gt=0)
    )
    asked = Survey.objects.filter(kind=Survey.Kind.NPS, customer=here)
    rest = timezone.now() - timedelta(days=settings.SUPPORT_NPS_REST_DAYS)
    # The same hundredth of an incident's customers whenever it is asked.
    sample = RawSQL(
        "('x' || substr(md5(%s || ':' || customers_customer.id), 1, 8))::bit(32)::bigint %% 100",
        [str(incident.pk)],
    )
    return (
        Customer.objects.exclude(email="")
        .filter(
            Exists(hit),
            ~Exists(asked.filter(Q(incident=incident) | Q(created_at__gt=rest))),
        )
        .alias(sample=sample)
        .filter(sample__lt=settings.SUPPORT_NPS_SHARE)
        .order_by("id")
    )


def _awards(tickets: list[Ticket]) -> dict[int, int]:
    """What was given from each ticket, else for its incident."""
    of_incident: dict[tuple[int | None, int | None], int] = {
        (customer, incident): award
        for customer, incident, award in Award.objects.filter(
            customer__in={t.customer_id for t in tickets if t.customer_id},
            incident__in={t.incident_id for t in tickets if t.incident_id},
            state__in=_GIVEN,
        )
        .order_by("id")
        .values_list("customer_id", "incident_id", "id")
    }
    given = {
        t.pk: award
        for t in tickets
        if (award := of_incident.get((t.customer_id, t.incident_id))) is not None
    }
    of_tickets = Award.objects.filter(goodwill__ticket__in=tickets, state__in=_GIVEN)
    given.update(of_tickets.order_by("id").values_list(F("goodwill__ticket"), "id"))
    return given


def _store(surveys: Iterable[Survey]) -> int:
    rows = list(surveys)
    for survey in rows:
        survey.token_hash = hash_of(token_for("survey", key_of(survey)))
    Survey.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
