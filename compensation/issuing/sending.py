"""One order's way to Stripe and back. Runs on threads and touches no database."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.utils import timezone

from compensation import stripe_calls
from compensation.issuing.bucket import TokenBucket
from compensation.issuing.orders import Order, trial_marker
from compensation.models import Award
from compensation.stripe_calls import (
    Done,
    Outcome,
    Page,
    Rejected,
    Subscription,
    Transaction,
    Unknown,
)

# How far Stripe's clock may be behind ours when its list is asked since a time.
CLOCK_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Absent:
    """Stripe's list proves that it is not booked: it may be sent under a new key."""


@dataclass(frozen=True, slots=True)
class Unprovable:
    """Nothing at Stripe tells what happened: a person must look."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The call was called off before it was made."""


Result = Outcome | Absent | Unprovable | NotSent


@dataclass(frozen=True, slots=True)
class Sender:
    """What all threads share. `is_called_off` is asked just before a call is made."""

    client: stripe_calls.Client
    bucket: TokenBucket
    is_called_off: Callable[[Order], bool]
    # Each award's trial end as read before the first try to set it, until its answer is there.
    _trial_ends: dict[int, int | None] = field(default_factory=dict)

    def send(self, order: Order) -> Result:
        """Make the call that `order` stands for, once."""
        is_trial = order.benefit == Award.Benefit.TRIAL
        self.bucket.take(2 if is_trial else 1)
        if self.is_called_off(order):
            return NotSent()
        if not order.key_is_safe(timezone.now()):
            # the machine was asleep since, or the clock was set
            return NotSent() if order.is_fresh else self.look_up(order)
        if is_trial:
            return self._extend_trial(order)
        return stripe_calls.create_credit(
            self.client, order.destination, cast(Any, order.parameters), key=order.key
        )

    def look_up(self, order: Order) -> Result:
        """What became of an order whose answer we never had, or cannot have any more."""
        if order.benefit == Award.Benefit.TRIAL:
            return self._look_up_trial(order)
        found: list[Transaction] = []
        after = ""
        while True:
            self.bucket.take()
            if self.is_called_off(order):
                return NotSent()
            page = stripe_calls.list_transactions(
                self.client,
                order.destination,
                created_from=order.first_sent_at - CLOCK_MARGIN,
                after=after,
            )
            if isinstance(page, Rejected):
                return Unprovable(f"Stripe does not show what was booked: {page.message}")
            if not isinstance(page, Page):
                return page
            ours = str(order.award)
            found += [each for each in page.transactions if each.metadata.get("award") == ours]
            if not page.has_more or not page.transactions:
                return _verdict(order, found)
            after = page.transactions[-1].stripe_id

    def _extend_trial(self, order: Order) -> Result:
        """Read first: never shorten a trial, and never extend for the same award twice."""
        seen = stripe_calls.read_subscription(self.client, order.destination)
        if not isinstance(seen, Subscription):
            return seen
        target = order.parameters["trial_end"]
        if _is_ours(order, seen):
            return Done(seen.stripe_id, trial_end_before=self._trial_ends.pop(order.award, None))
        if seen.trial_end is not None and seen.trial_end >= target:
            return Rejected(
                "longer_trial_set",
                f"The trial already runs until {_date(seen.trial_end)}, which is not before "
                f"{_date(target)}: nothing was changed.",
            )
        if target <= timezone.now().timestamp():
            return Rejected(
                "trial_target_past", f"The trial was to be extended until {_date(target)}: past."
            )
        self._trial_ends.setdefault(order.award, seen.trial_end)
        result = stripe_calls.extend_trial(
            self.client, order.destination, cast(Any, order.parameters), key=order.key
        )
        if isinstance(result, Done):
            before = self._trial_ends.pop(order.award, None)
            return replace(result, trial_end_before=before)
        return result

    def _look_up_trial(self, order: Order) -> Result:
        self.bucket.take()
        if self.is_called_off(order):
            return NotSent()
        seen = stripe_calls.read_subscription(self.client, order.destination)
        if isinstance(seen, Rejected):
            return Unprovable(f"Stripe does not show the subscription: {seen.message}")
        if not isinstance(seen, Subscription):
            return seen
        return Done(seen.stripe_id) if _is_ours(order, seen) else Absent()


def _verdict(order: Order, found: list[Transaction]) -> Result:
    if not found:
        return Absent()
    ids = ", ".join(each.stripe_id for each in found)
    if len(found) > 1:
        return Unprovable(f"Stripe has it more than once: {ids}.")
    asked = (order.parameters["amount"], order.parameters["currency"])
    if (found[0].amount, found[0].currency) != asked:
        return Unprovable(f"Stripe has it with another amount or currency: {ids}.")
    return Done(found[0].stripe_id)


def _is_ours(order: Order, seen: Subscription) -> bool:
    """The marker stands in the same update as the date, so it proves the extension."""
    return seen.metadata.get(trial_marker(order.award)) == str(order.parameters["trial_end"])


def _date(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


__all__ = ["Absent", "NotSent", "Result", "Sender", "Unknown", "Unprovable"]
