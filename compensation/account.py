"""What the account pages show beside the credits: invoices to come, incidents that hit."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from backoffice.customers.models import Customer, Subscription
from compensation.models import Award, Claim
from compensation.models.award import BINDING, AwardState
from incidents.models import Exposure, Incident

# With these Stripe writes no invoice when the period ends.
_UNBILLED = (
    *Subscription.ENDED,
    Subscription.Status.PAUSED,
)

_PROMISED = (*BINDING, AwardState.REVERSED)


def next_invoice_days(customer: Customer) -> dict[str, datetime]:
    """When the next invoice is due, by currency (UTC), as far as the subscriptions tell."""
    ends = (
        Subscription.objects.filter(customer=customer, period_end__gt=timezone.now())
        .exclude(status__in=_UNBILLED)
        .order_by("-period_end")
        .values_list("currency", "period_end")
    )
    return {currency: end for currency, end in ends if end is not None}


def incidents_of(customer: Customer) -> QuerySet[Incident]:
    """The incidents that hit `customer`, or for which they were promised something."""
    here = {"incident": OuterRef("pk"), "customer": customer}
    return Incident.objects.filter(
        Q(Exists(Exposure.objects.filter(**here)))
        | Q(Exists(Award.objects.filter(**here, state__in=_PROMISED)))
    )


def running_incidents_of(customer: Customer) -> list[Incident]:
    """The incidents that go on and hit `customer`, the latest first."""
    hit = Exposure.objects.filter(incident=OuterRef("pk"), customer=customer)
    return list(Incident.objects.running().filter(Exists(hit)))


def claims_of(customer: Customer) -> QuerySet[Claim]:
    """What the customer told us that did not work, the latest first."""
    return Claim.objects.filter(customer=customer).select_related("component")


def seen_seconds(customer: Customer, incident: Incident) -> tuple[int, int]:
    """How long `incident` hit `customer`, out of order and partly so, in seconds.

    Of several subscriptions the one that was hit longest stands for all: their times overlap.
    """
    exposures = Exposure.objects.filter(customer=customer, incident=incident)
    times = exposures.values_list("major_seconds", "partial_seconds")
    return max(times, key=sum, default=(0, 0))
