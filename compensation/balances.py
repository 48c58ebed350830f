"""What customers hold as credit, as it was at a moment: each, and all together."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet, Sum

from backoffice.customers.models import Customer
from compensation.models import LedgerEntry

CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Balance:
    """What one customer had in one currency, in minor units."""

    customer_id: int
    reference: str
    name: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Sums:
    """What all customers had together in one currency, and what had moved up to then."""

    currency: str
    given_minor: int
    taken_back_minor: int
    used_minor: int
    left_minor: int
    entries: int


def sums_before(moment: datetime) -> list[Sums]:
    """The sums of everything booked before `moment`, by currency. One query."""
    kinds = LedgerEntry.Kind
    lines = (
        _booked_before(moment)
        .order_by("currency")
        .values_list("currency")
        .annotate(
            given=Sum("amount_minor", filter=Q(kind=kinds.CREDIT), default=0),
            taken_back=Sum("amount_minor", filter=Q(kind=kinds.REVERSAL), default=0),
            used=Sum("amount_minor", filter=Q(kind=kinds.CONSUMED), default=0),
            left=Sum("amount_minor"),
            entries=Count("id"),
        )
    )
    return [Sums(*line) for line in lines]


def balances_before(
    moment: datetime, *, customer: str = "", after: int = 0, limit: int | None = None
) -> Iterator[Balance]:
    """Each balance that was not zero before `moment`, by customer id and currency.

    `customer` narrows to a reference or Stripe's id, given in full; `after` goes on behind that
    customer's id. One query, read in pieces.
    """
    entries = _booked_before(moment).filter(customer__gt=after)
    if customer:
        entries = entries.filter(customer__in=_named(customer))
    lines = (
        entries.order_by("customer_id", "currency")
        .values_list("customer_id", "customer__reference", "customer__name", "currency")
        .annotate(left=Sum("amount_minor"))
        .exclude(left=0)
    )
    for line in lines[:limit].iterator(chunk_size=CHUNK):
        yield Balance(*line)


def _booked_before(moment: datetime) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(booked_at__lt=moment).exclude(amount_minor=0)


def _named(customer: str) -> list[int]:
    found = Customer.objects.filter(Q(reference=customer) | Q(stripe_customer_id=customer))
    return list(found.values_list("id", flat=True))
