"""Stripe's customers and subscriptions as we take them: checked, and in our words.

Sources: https://docs.stripe.com/api/customers/object and .../subscriptions/object
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from backoffice import money
from backoffice.customers.importing import values
from backoffice.customers.importing.checking import Row
from backoffice.customers.importing.values import BadValueError
from backoffice.customers.models import Customer, Subscription

# In whole months; Stripe knows days and weeks besides.
MONTHS = {"month": 1, "year": 12}


class SkippedError(Exception):
    """This object is not taken, and why."""


def _id(value: Any) -> Any:
    """The id of a reference, expanded or not."""
    return value.get("id") if isinstance(value, dict) else value


Id = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\s\x00]+$")]
Link = Annotated[Id, BeforeValidator(_id)]
# From 1970 to 2200.
Seconds = Annotated[int, Field(strict=True, ge=0, le=7_258_118_400)]
Metadata = Annotated[dict[str, str], BeforeValidator(lambda value: value or {})]


class Loose(BaseModel):
    """Takes what we need and passes over the rest, which changes with every version."""

    model_config = ConfigDict(extra="ignore")


class Address(Loose):
    country: str | None = None


class StripeCustomer(Loose):
    id: Id
    name: str | None = None
    email: str | None = None
    currency: str | None = None
    address: Address | None = None
    preferred_locales: list[str] | None = None
    metadata: Metadata = {}


class Recurring(Loose):
    interval: str
    interval_count: Annotated[int, Field(strict=True, ge=1)]
    usage_type: str = "licensed"


class Price(Loose):
    unit_amount: Annotated[int, Field(strict=True, ge=0)] | None = None
    currency: str
    nickname: str | None = None
    lookup_key: str | None = None
    product: Link
    recurring: Recurring | None = None


class Item(Loose):
    price: Price
    quantity: Annotated[int, Field(strict=True, ge=0)] | None = 1
    current_period_start: Seconds | None = None
    current_period_end: Seconds | None = None


class Items(Loose):
    data: Annotated[list[Item], Field(min_length=1)]
    has_more: bool = False


class StripeSubscription(Loose):
    id: Id
    customer: Link
    status: str
    items: Items
    created: Seconds
    start_date: Seconds | None = None
    ended_at: Seconds | None = None
    canceled_at: Seconds | None = None
    trial_end: Seconds | None = None
    metadata: Metadata = {}


def read(model: type[Loose], raw: dict[str, Any]) -> Any:
    """`raw` as `model`.

    Raises:
        SkippedError: naming the first field that is not as Stripe documents it.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SkippedError(f"Stripe's answer is odd: {place}: {first['msg']}.") from None


def reference_in(metadata: dict[str, str], otherwise: str) -> str:
    """Our reference, if Stripe keeps one that can be one."""
    written = metadata.get("reference", "").strip()
    return written if written and len(written) <= 100 and "\0" not in written else otherwise  # noqa: PLR2004


def customer_row(found: StripeCustomer, stored: Customer | None, *, line: int) -> Row:
    """What to write of a customer. Where Stripe says nothing usable, what is stored stays."""
    stored = stored or Customer(reference=reference_in(found.metadata, found.id[:100]))
    locales = found.preferred_locales or [""]
    return Row(
        line,
        {
            "reference": stored.reference,
            "name": (found.name or "").replace("\0", "").strip()[:200] or stored.name,
            "email": _usable(values.email, found.email) or stored.email,
            "language": _usable(values.language, locales[0]) if locales[0] else stored.language,
            "country": _usable(values.country, found.address.country if found.address else None)
            or stored.country,
            "currency": _usable(values.currency, found.currency) or stored.currency,
            "stripe_customer_id": found.id,
        },
    )


def _usable(check: Callable[[str], Any], written: str | None) -> str:
    try:
        return str(check((written or "").strip())) if written else ""
    except BadValueError:
        return ""


def subscription_row(
    found: StripeSubscription,
    stored: Subscription | None,
    *,
    line: int,
    customer: str,
    product_name: Callable[[str], str],
) -> Row:
    """What to write of a subscription of the customer whose reference is `customer`.

    Raises:
        SkippedError: we could not bill by it: other intervals, no fixed price, unknown status.
    """
    if found.status not in Subscription.Status.values:
        raise SkippedError(f"Its status “{found.status}” is unknown to us.")
    months, fee_minor, currency = _terms(found.items)
    started_at, ended_at = _life(found, stored)
    period_start, period_end = _period(found.items.data[0])
    fallback = reference_in(found.metadata, found.id[:100])
    return Row(
        line,
        {"reference": customer},
        {
            "reference": stored.reference if stored is not None else fallback,
            "plan": _plan(found, found.items.data[0].price, product_name),
            "fee_minor": fee_minor,
            "currency": currency,
            "interval_months": months,
            "status": found.status,
            "started_at": started_at,
            "ended_at": ended_at,
            "trial_end": _moment(found.trial_end),
            "period_start": period_start,
            "period_end": period_end,
            "stripe_subscription_id": found.id,
        },
    )


def _life(found: StripeSubscription, stored: Subscription | None) -> tuple[datetime, Any]:
    """When it started, and when it ended if it has."""
    started_at: datetime = _moment(found.created if found.start_date is None else found.start_date)
    if stored is not None:
        # Stripe may know it for a shorter time than we do.
        started_at = min(started_at, stored.started_at)
    ended_at = _moment(found.ended_at)
    if found.status == Subscription.Status.CANCELED and ended_at is None:
        ended_at = _moment(found.canceled_at)
        if ended_at is None:
            raise SkippedError("It is cancelled, but Stripe does not say since when.")
    if ended_at is not None and ended_at < started_at:
        raise SkippedError("It ended before it started.")
    return started_at, ended_at


def _period(item: Item) -> tuple[Any, Any]:
    """Since API version 2025-03-31 the current period stands on the items."""
    begin, end = _moment(item.current_period_start), _moment(item.current_period_end)
    return (begin, end) if begin is not None and end is not None and begin < end else (None, None)


def _terms(items: Items) -> tuple[int, int, str]:
    """Months of the interval, fee in minor units for it, currency."""
    if items.has_more:
        raise SkippedError("It has more items than Stripe lists at once.")
    terms = {_item_terms(item) for item in items.data}
    if len(terms) > 1:
        raise SkippedError("Its items differ in interval or currency.")
    months, currency = terms.pop()
    fee = sum((item.price.unit_amount or 0) * _quantity(item) for item in items.data)
    if fee > money.LARGEST_AMOUNT_MINOR:
        raise SkippedError("Its fee is more than Stripe can charge.")
    return months, fee, currency


def _item_terms(item: Item) -> tuple[int, str]:
    price = item.price
    if price.recurring is None or price.recurring.usage_type != "licensed":
        raise SkippedError("It has an item that is billed by usage or only once.")
    if price.unit_amount is None:
        raise SkippedError("It has an item without a fixed price in whole minor units.")
    unit = MONTHS.get(price.recurring.interval, 0)
    months = unit * price.recurring.interval_count
    if months not in Subscription.Interval.values:
        every = f"{price.recurring.interval_count} × {price.recurring.interval}"
        raise SkippedError(f"Its interval ({every}) is none of 1, 3, 6 and 12 months.")
    try:
        return months, values.currency(price.currency)
    except BadValueError:
        raise SkippedError(f"Its currency “{price.currency}” is unknown to us.") from None


def _quantity(item: Item) -> int:
    return 1 if item.quantity is None else item.quantity


def _plan(found: StripeSubscription, price: Price, product_name: Callable[[str], str]) -> str:
    name = found.metadata.get("plan") or price.nickname or price.lookup_key
    return (name or product_name(price.product)).replace("\0", "").strip()[:100] or price.product


def _moment(seconds: int | None) -> Any:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
