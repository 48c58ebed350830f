"""What an event asks us to read again at Stripe, by its type. What it says itself is old news.

Source of the types: https://docs.stripe.com/api/events/types
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

CUSTOMER = ("customer.created", "customer.updated", "customer.deleted")
SUBSCRIPTION = "customer.subscription."
# At these an invoice takes balance, or gives it back.
BALANCE = (
    "customer.updated",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "invoice.updated",
    "invoice.voided",
    "invoice.marked_uncollectible",
)


class NamelessError(Exception):
    """The event does not name the object it is about."""


class About(Protocol):
    """What is asked of an event."""

    @property
    def kind(self) -> str: ...

    @property
    def object_id(self) -> str: ...

    @property
    def customer_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Needs:
    """Stripe's ids of what is to be read: whole customers, subscriptions, customers' balances."""

    customers: frozenset[str] = field(default_factory=frozenset)
    subscriptions: frozenset[str] = field(default_factory=frozenset)
    balances: frozenset[str] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.customers or self.subscriptions or self.balances)

    def all(self) -> frozenset[str]:
        return self.customers | self.subscriptions | self.balances


def needs_of(event: About) -> Needs:
    """What `event` asks for; nothing, if its type says nothing to us.

    Raises:
        NamelessError: its type is one of ours, and it doesn't name whom it is about.
    """
    is_subscription = event.kind.startswith(SUBSCRIPTION)
    if not (event.kind in CUSTOMER or event.kind in BALANCE or is_subscription):
        return Needs()
    if not event.customer_id or (is_subscription and not event.object_id):
        raise NamelessError("It does not name the customer or subscription that it is about.")
    customer = frozenset({event.customer_id})
    return Needs(
        customers=customer if event.kind in CUSTOMER else frozenset(),
        subscriptions=frozenset({event.object_id}) if is_subscription else frozenset(),
        balances=customer if event.kind in BALANCE else frozenset(),
    )


def together(several: Iterable[Needs]) -> Needs:
    """All of them at once: each object is read once, however many events speak of it."""
    several = list(several)
    return Needs(
        frozenset[str]().union(*(each.customers for each in several)),
        frozenset[str]().union(*(each.subscriptions for each in several)),
        frozenset[str]().union(*(each.balances for each in several)),
    )
