"""One reversal's way to Stripe and back. Runs on threads and touches no database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from django.utils import timezone

from compensation import stripe_calls
from compensation.issuing.bucket import TokenBucket
from compensation.issuing.sending import CLOCK_MARGIN, Absent, NotSent, Unprovable
from compensation.reversing.orders import MARKER, ReversalOrder, trial_reversal_marker
from compensation.stripe_calls import (
    Balance,
    Done,
    Outcome,
    Page,
    Rejected,
    Subscription,
    Transaction,
    Unknown,
)


@dataclass(frozen=True, slots=True)
class Short:
    """Stripe's balance holds only `available_minor` of credit: nothing was sent."""

    available_minor: int


@dataclass(frozen=True, slots=True)
class Unread:
    """What had to be read first could not be: nothing was sent."""

    reason: str


Result = Outcome | Absent | Unprovable | NotSent | Short | Unread


@dataclass(frozen=True, slots=True)
class Sender:
    """What all threads share. `is_called_off` is asked just before a call is made."""

    client: stripe_calls.Client
    bucket: TokenBucket
    is_called_off: Callable[[], bool]

    def send(self, order: ReversalOrder) -> Result:
        """Make the call that `order` stands for, once; look first whether it may still be made."""
        self.bucket.take(2 if order.is_fresh or order.is_trial else 1)
        if self.is_called_off():
            return NotSent()
        if not order.key_is_safe(timezone.now()):
            # the machine was asleep since, or the clock was set
            return NotSent() if order.is_fresh else self.look_up(order)
        if order.is_trial:
            return self._set_trial_back(order)
        # One that was sent before may be in the balance already: its own key settles it.
        if order.is_fresh and (obstacle := self._obstacle(order)) is not None:
            return obstacle
        return stripe_calls.create_credit(
            self.client, order.destination, cast(Any, order.parameters), key=order.key
        )

    def look_up(self, order: ReversalOrder) -> Result:
        """What became of an order whose answer we never had, or cannot have any more."""
        if order.is_trial:
            self.bucket.take()
            return NotSent() if self.is_called_off() else self._look_up_trial(order)
        found: list[Transaction] = []
        after = ""
        while True:
            self.bucket.take()
            if self.is_called_off():
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
            ours = str(order.reversal)
            found += [each for each in page.transactions if each.metadata.get(MARKER) == ours]
            if not page.has_more or not page.transactions:
                return _verdict(order, found)
            after = page.transactions[-1].stripe_id

    def _obstacle(self, order: ReversalOrder) -> Result | None:
        """None where Stripe's own balance still holds what is to be taken."""
        seen = stripe_calls.read_balance(self.client, order.destination)
        if isinstance(seen, Unknown):
            return Unread(seen.reason)
        if not isinstance(seen, Balance):
            return seen
        is_same = seen.currency in {"", order.parameters["currency"]}
        available = max(-seen.amount, 0) if is_same else 0
        return Short(available) if available < order.parameters["amount"] else None

    def _set_trial_back(self, order: ReversalOrder) -> Result:
        """Only while the date is still the one that we set."""
        seen = stripe_calls.read_subscription(self.client, order.destination)
        if isinstance(seen, Unknown) and order.is_fresh:
            return Unread(seen.reason)
        if not isinstance(seen, Subscription):
            return seen
        if _is_ours(order, seen):
            return Done(seen.stripe_id)
        if seen.trial_end != order.given_trial_end:
            return Rejected("trial_end_changed", _changed(order, seen))
        return stripe_calls.extend_trial(
            self.client, order.destination, cast(Any, order.parameters), key=order.key
        )

    def _look_up_trial(self, order: ReversalOrder) -> Result:
        seen = stripe_calls.read_subscription(self.client, order.destination)
        if isinstance(seen, Rejected):
            return Unprovable(f"Stripe does not show the subscription: {seen.message}")
        if not isinstance(seen, Subscription):
            return seen
        return Done(seen.stripe_id) if _is_ours(order, seen) else Absent()


def _verdict(order: ReversalOrder, found: list[Transaction]) -> Result:
    if not found:
        return Absent()
    ids = ", ".join(each.stripe_id for each in found)
    if len(found) > 1:
        return Unprovable(f"Stripe has it more than once: {ids}.")
    asked = (order.parameters["amount"], order.parameters["currency"])
    if (found[0].amount, found[0].currency) != asked:
        return Unprovable(f"Stripe has it with another amount or currency: {ids}.")
    return Done(found[0].stripe_id)


def _is_ours(order: ReversalOrder, seen: Subscription) -> bool:
    """The marker stands in the same update as the date, so it proves it."""
    marker = trial_reversal_marker(order.award)
    wanted: str = order.parameters["metadata"][marker]
    return seen.metadata.get(marker) == wanted


def _changed(order: ReversalOrder, seen: Subscription) -> str:
    ours = _date(order.given_trial_end)
    if seen.trial_end is None:
        return f"The trial we set until {ours} is over or was ended: nothing was changed."
    return (
        f"The trial runs until {_date(seen.trial_end)} now, and we had set {ours}: somebody changed"
        " it since, nothing was changed."
    )


def _date(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds or 0, UTC):%Y-%m-%d %H:%M} UTC"
