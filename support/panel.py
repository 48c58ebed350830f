"""What an agent knows of the customer beside the conversation: a constant number of queries."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Avg, Count, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.customers.models import Customer, Subscription
from compensation.models import Award, Batch, Claim, LedgerEntry
from compensation.models.award import Exclusion
from incidents.models import Exposure, Incident
from support.models import Survey, Ticket

SHOWN = 5
_OVER = (Batch.State.REJECTED, Batch.State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Hit:
    """An incident that hit the customer: affected seconds of the worst hit subscription."""

    incident: Incident
    major_seconds: int
    partial_seconds: int
    is_this: bool

    @property
    def seconds(self) -> int:
        return self.major_seconds + self.partial_seconds


@dataclass(frozen=True, slots=True)
class Got:
    """An award; `left_minor` of a credit is what no invoice has taken, None where that is moot."""

    award: Award
    left_minor: int | None

    @property
    def is_used(self) -> bool:
        return self.left_minor is not None and self.left_minor <= 0

    @property
    def is_pending(self) -> bool:
        """Nothing that may be promised: finance has not approved it."""
        return bool(self.award.state == Award.State.PROPOSED)


@dataclass(frozen=True, slots=True)
class Opinion:
    """Answered surveys: mean CSAT (1 to 5) with its count, and the newest NPS (0 to 10)."""

    csat: float | None
    csat_count: int
    nps: int | None


@dataclass(frozen=True, slots=True)
class Panel:
    """All of it. `earlier_this_year` counts incidents of this year (UTC) that are not in `hits`.

    `held_out` are incidents in whose hold-out group the customer is: they get nothing from their
    batches, so that the effect can be measured. What an agent gives them all the same spoils that.
    """

    customer: Customer
    since: datetime | None
    subscriptions: list[Subscription]
    ended_subscriptions: int
    hits: list[Hit]
    earlier_this_year: int
    held_out: list[Incident]
    claims: list[Claim]
    got: list[Got]
    more_awards: int
    priority_until: datetime | None
    tickets: list[Ticket]
    more_tickets: int
    opinion: Opinion

    @property
    def facts(self) -> list[str]:
        """Segment, country, since when: what is known of them."""
        known = [self.customer.segment, self.customer.country]
        if self.since is not None:
            known.append(_("since {year}").format(year=self.since.year))
        return [fact for fact in known if fact]


def panel_of(ticket: Ticket, tickets: QuerySet[Ticket]) -> Panel | None:
    """The panel of the ticket's customer, None of an unknown one.

    `tickets` are those that the reader may see. Ten queries, with the customer at hand.
    """
    customer = ticket.customer
    if customer is None:
        return None
    subscriptions = list(
        Subscription.objects.filter(customer=customer).order_by("-started_at", "id")
    )
    running = [each for each in subscriptions if each.status not in Subscription.ENDED]
    hits, earlier = _hits(customer, ticket.incident_id)
    got, more_awards, priority_until = _got(customer)
    others, more_tickets = _others(customer, ticket, tickets)
    return Panel(
        customer=customer,
        since=min((each.started_at for each in subscriptions), default=None),
        subscriptions=running,
        ended_subscriptions=len(subscriptions) - len(running),
        hits=hits,
        earlier_this_year=earlier,
        held_out=_held_out(customer),
        claims=list(Claim.objects.filter(customer=customer).order_by("-id")[:SHOWN]),
        got=got,
        more_awards=more_awards,
        priority_until=priority_until,
        tickets=others,
        more_tickets=more_tickets,
        opinion=_opinion(customer),
    )


def _hits(customer: Customer, this: int | None) -> tuple[list[Hit], int]:
    """The newest incidents (this ticket's always first), and how many more there were this year."""
    worst: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    incidents: dict[int, Incident] = {}
    exposures = Exposure.objects.filter(customer=customer).select_related("incident")
    for exposure in exposures.order_by("-incident__started_at", "-incident")[:200]:
        if exposure.major_seconds + exposure.partial_seconds > sum(worst[exposure.incident_id]):
            worst[exposure.incident_id] = [exposure.major_seconds, exposure.partial_seconds]
        incidents[exposure.incident_id] = exposure.incident
    order = sorted(incidents.values(), key=lambda i: (i.pk == this, i.started_at), reverse=True)
    shown = [
        Hit(each, worst[each.pk][0], worst[each.pk][1], each.pk == this) for each in order[:SHOWN]
    ]
    this_year = timezone.now().astimezone(UTC).year
    earlier = [each for each in order[SHOWN:] if each.started_at.astimezone(UTC).year == this_year]
    return shown, len(earlier)


def _held_out(customer: Customer) -> list[Incident]:
    """The newest incidents first."""
    held = Award.objects.filter(
        customer=customer, state=Award.State.EXCLUDED, exclusion=Exclusion.HELD_OUT
    ).exclude(batch__state__in=_OVER)
    return list(Incident.objects.filter(pk__in=held.values("incident")).order_by("-pk")[:SHOWN])


def _got(customer: Customer) -> tuple[list[Got], int, datetime | None]:
    """The newest awards, how many more, and until when priority support lasts, if it does."""
    entries = LedgerEntry.objects.filter(award=OuterRef("pk")).order_by().values("award")
    awards = list(
        Award.objects.filter(customer=customer)
        .exclude(state=Award.State.EXCLUDED)
        .exclude(state=Award.State.PROPOSED, batch__state__in=_OVER)
        .select_related("incident", "batch")
        .annotate(left=Subquery(entries.annotate(n=Sum("amount_minor")).values("n")))
        .order_by("-id")[:200]
    )
    now = timezone.now()
    until = [
        award.priority_until
        for award in awards
        if award.state == Award.State.ISSUED and award.priority_until
    ]
    shown = [_one_got(award, award.left) for award in awards[: 2 * SHOWN]]
    return shown, len(awards) - len(shown), max((u for u in until if u > now), default=None)


def _one_got(award: Award, left_minor: int) -> Got:
    counts = award.benefit == Award.Benefit.CREDIT and award.state == Award.State.ISSUED
    return Got(award, left_minor if counts else None)


def _others(
    customer: Customer, ticket: Ticket, tickets: QuerySet[Ticket]
) -> tuple[list[Ticket], int]:
    """The customer's newest other tickets among `tickets`, and how many more (to a thousand)."""
    others = tickets.filter(customer=customer).exclude(pk=ticket.pk).order_by("-id")
    shown = list(others.defer("search", "score_parts").select_related("assignee")[:SHOWN])
    if len(shown) < SHOWN:
        return shown, 0
    return shown, others[: 1000 + SHOWN].count() - SHOWN


def _opinion(customer: Customer) -> Opinion:
    answered = Survey.objects.filter(customer=customer, score__isnull=False)
    nps = answered.filter(kind=Survey.Kind.NPS).order_by("-id").values_list("score", flat=True)
    csat = answered.filter(kind=Survey.Kind.CSAT).aggregate(mean=Avg("score"), count=Count("id"))
    return Opinion(csat["mean"], csat["count"], nps.first())
