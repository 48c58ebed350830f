"""Stripe, spoken to from one place: the only module of the customers that imports its library."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import stripe
from django.conf import settings

# Otherwise the library writes a file into the home directory.
stripe.enable_telemetry = False

PAGE = 100
ATTEMPTS = 6  # of a call that is told to come back later
T = TypeVar("T")


class MirrorError(Exception):
    """Stripe cannot be read or written at all; what was mirrored before stays."""


class RefusedError(Exception):
    """Stripe refused one object, or its answer was lost; the message is Stripe's."""


class MissingError(RefusedError):
    """Stripe knows no object of this id."""


@dataclass
class Pace:
    """At most `rate` calls a second, spread evenly over all threads."""

    rate: float

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            start = max(self._next, now)
            self._next = start + 1 / self.rate
        time.sleep(max(0.0, start - now))

    def pause(self, seconds: float) -> None:
        """Nobody calls for this long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Calls:
    """One account at Stripe, asked at the configured pace. Threads may share it."""

    def __init__(self, pace: Pace | None = None) -> None:
        base = settings.STRIPE_API_BASE
        self._client = stripe.StripeClient(
            settings.STRIPE_API_KEY,
            base_addresses={"api": base} if base else {},
            max_network_retries=2,
            http_client=stripe.RequestsClient(timeout=settings.STRIPE_TIMEOUT_SECONDS),
        )
        self._pace = pace or Pace(settings.STRIPE_CALLS_PER_SECOND)
        self._products: dict[str, str] = {}

    def customers(self) -> Iterator[dict[str, Any]]:
        """Every customer, newest first."""
        return self._all(self._client.v1.customers.list, {})

    def subscriptions(self) -> Iterator[dict[str, Any]]:
        """Every subscription, ended ones too, newest first."""
        return self._all(self._client.v1.subscriptions.list, {"status": "all"})

    def customer(self, identifier: str) -> dict[str, Any] | None:
        """One customer; of a deleted one there is only `deleted`. None: Stripe has none such."""
        return self._one(lambda: self._client.v1.customers.retrieve(identifier))

    def subscription(self, identifier: str) -> dict[str, Any] | None:
        """One subscription, an ended one too. None: Stripe has none such."""
        return self._one(lambda: self._client.v1.subscriptions.retrieve(identifier))

    def product_name(self, product: str) -> str:
        """What a product is called; its id where that cannot be read."""
        if product not in self._products:
            try:
                found = self._ask(lambda: self._client.v1.products.retrieve(product))
                self._products[product] = str(found.name or product)
            except RefusedError:
                self._products[product] = product
        return self._products[product]

    def create_product(self, identifier: str, name: str) -> None:
        """A product of this id, unless there is one."""
        try:
            self._ask(lambda: self._client.v1.products.create({"id": identifier, "name": name}))
        except RefusedError as error:
            if "already exists" not in str(error):
                raise

    def create_customer(self, params: Any, *, key: str) -> str:
        """The new customer's id."""
        options: Any = {"idempotency_key": key}
        return str(self._ask(lambda: self._client.v1.customers.create(params, options)).id)

    def create_subscription(self, params: Any, *, key: str) -> str:
        """The new subscription's id."""
        options: Any = {"idempotency_key": key}
        return str(self._ask(lambda: self._client.v1.subscriptions.create(params, options)).id)

    def _all(self, ask: Callable[[Any], Any], params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Page after page; ends when Stripe says so, or when a page brings nothing new."""
        after: dict[str, str] = {}
        while True:
            question = {**params, **after, "limit": PAGE}
            page = self._ask(lambda question=question: ask(question)).to_dict()  # type: ignore[misc]
            rows = page.get("data")
            if not isinstance(rows, list):
                raise MirrorError("Stripe's answer is no list.")
            yield from (row for row in rows if isinstance(row, dict))
            last = rows[-1].get("id") if rows and isinstance(rows[-1], dict) else None
            if page.get("has_more") is not True or not last or last == after.get("starting_after"):
                return
            after = {"starting_after": last}

    def _one(self, call: Callable[[], Any]) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._ask(call).to_dict()
        except MissingError:
            return None
        return found

    def _ask(self, call: Callable[[], T]) -> T:
        for attempt in range(ATTEMPTS):
            self._pace.wait()
            try:
                return call()
            except stripe.RateLimitError:
                # No reason to give up: the call was not even looked at.
                self._pace.pause(2.0**attempt / 4)
            except (stripe.AuthenticationError, stripe.PermissionError) as error:
                raise MirrorError(f"Stripe does not accept the key: {error}") from None
            except stripe.APIConnectionError as error:
                raise MirrorError(f"Stripe cannot be reached: {error}") from None
            except stripe.InvalidRequestError as error:
                kind = MissingError if error.code == "resource_missing" else RefusedError
                raise kind(str(error)) from None
            except stripe.StripeError as error:
                raise RefusedError(str(error)) from None
        raise MirrorError("Stripe keeps saying that we ask too often: lower the rate.")
