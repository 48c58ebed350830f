"""Subscriptions and customers made or changed one at a time, by the API and the admin."""

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model

from backoffice.customers.models import Customer, Subscription

R = TypeVar("R", bound=Model)


def add_customer(**fields: Any) -> Customer:
    """A new customer.

    Raises:
        ValidationError: the reference or Stripe's id is taken.
    """
    return _saved(Customer(**fields))


def change_customer(customer: Customer, **changes: Any) -> Customer:
    """Change what `changes` names, and nothing else.

    Raises:
        ValidationError: the reference or Stripe's id is taken, or another id of Stripe's is known.
    """
    _keep_link(customer, "stripe_customer_id", changes)
    return _saved(customer, changes)


@transaction.atomic
def add_subscription(**fields: Any) -> Subscription:
    """A new subscription; it gives its currency to a customer that has none yet.

    Raises:
        ValidationError: naming the field that contradicts another or the customer.
    """
    subscription = Subscription(**fields)
    customer = Customer.objects.select_for_update().get(pk=subscription.customer.pk)
    _check_terms(subscription, customer)
    if not customer.currency:
        customer.currency = subscription.currency
        customer.save(update_fields=["currency", "updated_at"])
    return _saved(subscription)


@transaction.atomic
def change_subscription(subscription: Subscription, **changes: Any) -> Subscription:
    """Change what `changes` names; its customer stays.

    Raises:
        ValidationError: naming the field that contradicts another or the customer.
    """
    if changes.get("customer", subscription.customer) != subscription.customer:
        raise ValidationError({"customer": "A subscription stays with its customer."})
    _keep_link(subscription, "stripe_subscription_id", changes)
    for field, value in changes.items():
        setattr(subscription, field, value)
    _check_terms(subscription, subscription.customer)
    return _saved(subscription, changes)


def _saved(row: R, changes: dict[str, Any] | None = None) -> R:
    for field, value in (changes or {}).items():
        setattr(row, field, value)
    fields = None if changes is None else [*changes, "updated_at"]
    try:
        with transaction.atomic():
            row.save(update_fields=fields)
    except IntegrityError as error:
        unique = ("stripe_customer_id", "stripe_subscription_id", "reference")
        taken = next((name for name in unique if f"({name})=" in str(error)), None)
        if taken is None:
            raise
        raise ValidationError({taken: "Another one has this already."}) from None
    return row


def _keep_link(row: Any, field: str, changes: dict[str, Any]) -> None:
    known = getattr(row, field)
    if known and field in changes and changes[field] != known:
        raise ValidationError(
            {field: f"It is linked to {known}: credits would go to somebody else."}
        )


def _check_terms(subscription: Subscription, customer: Customer) -> None:
    """What is right by itself and wrong together."""
    start, end = subscription.started_at, subscription.ended_at
    if end is not None and end < start:
        raise ValidationError({"ended_at": "It cannot end before it started."})
    if subscription.status == Subscription.Status.CANCELED and end is None:
        raise ValidationError({"ended_at": "Say when the cancelled subscription ended."})
    begin, finish = subscription.period_start, subscription.period_end
    if (begin is None) != (finish is None):
        raise ValidationError({"period_end": "Give both ends of the period, or neither."})
    if begin is not None and finish is not None and finish <= begin:
        raise ValidationError({"period_end": "The period must end after it began."})
    has_other = customer.currency not in {"", subscription.currency}
    if has_other and customer.stripe_customer_id:
        raise ValidationError(
            {
                "currency": f"The customer's currency at Stripe is {customer.currency}: make a "
                "second customer for another one."
            }
        )
