"""Stripe, spoken to from one place: the only module of this app that imports its library.

Every call comes back as one of a few outcomes; Stripe's exceptions end here. Nothing is retried
here, and nothing touches the database, so threads may call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import stripe
from django.conf import settings
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from stripe.params import CustomerBalanceTransactionCreateParams, SubscriptionUpdateParams

# Otherwise the library writes a file into the home directory.
stripe.enable_telemetry = False

SERVER_ERROR = 500
PAGE = 100


@dataclass(frozen=True, slots=True)
class Done:
    """It is booked, under this id of Stripe's.

    `balance`: the customer's balance after it, as Stripe tells it (positive is owed to us).
    `trial_end_before`: the trial's end that was read just before it was set (Unix seconds).
    """

    stripe_id: str
    balance: int | None = None
    trial_end_before: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Stripe refused it for good, in these words; nothing was booked."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Too many calls; nothing was done, the key was not even read."""


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """Our key is not accepted, or may not do this; nothing was done."""

    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may be booked or not.

    `is_settled`: the same key would only replay this answer, so look the outcome up.
    `is_stripes`: Stripe itself answered that it failed (and not a gateway on the way).
    """

    reason: str
    is_settled: bool = False
    is_stripes: bool = False


# So that nobody else needs to import the library.
Client = stripe.StripeClient
Outcome = Done | Rejected | RateLimited | Unauthorised | Unknown


@dataclass(frozen=True, slots=True)
class Subscription:
    """What matters of a subscription; `trial_end` in Unix seconds, None without a trial.

    `shown_trial_end` is what Stripe goes on showing after the trial is over.
    """

    stripe_id: str
    status: str
    trial_end: int | None
    metadata: Mapping[str, str] = field(default_factory=dict)
    shown_trial_end: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """A customer's balance. `amount` is Stripe's: negative is a credit, minor units."""

    stripe_id: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """A customer balance transaction. `amount` is Stripe's: negative is a credit, minor units.

    `kind` is Stripe's `type`; `created` in Unix seconds; `ending_balance` is the customer's balance
    after it, signed likewise; `invoice` the one that it belongs to, empty for none, and
    `invoice_number` what the customer reads on it, where it was asked for.
    """

    stripe_id: str
    amount: int
    currency: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    kind: str = "adjustment"
    created: int = 0
    ending_balance: int = 0
    invoice: str = ""
    invoice_number: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list, newest first, and whether more follows."""

    transactions: tuple[Transaction, ...]
    has_more: bool


Text = Annotated[str, StringConstraints(min_length=1)]


class _Answer(BaseModel):
    """Answers are checked before they are believed."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _TransactionAnswer(_Answer):
    id: Text
    object: Literal["customer_balance_transaction"]
    amount: int
    currency: Text
    customer: Text
    ending_balance: int | None = None
    metadata: dict[str, str] | None = None


class _InvoiceAnswer(_Answer):
    id: Text
    number: str | None = None


class _ListedAnswer(_TransactionAnswer):
    type: Text
    created: int
    ending_balance: int
    invoice: Text | _InvoiceAnswer | None = None


class _CustomerAnswer(_Answer):
    id: Text
    object: Literal["customer"]
    deleted: bool = False
    balance: int = 0
    currency: str | None = None


class _SubscriptionAnswer(_Answer):
    id: Text
    object: Literal["subscription"]
    status: Text
    trial_end: int | None
    metadata: dict[str, str] | None = None


def stripe_client() -> stripe.StripeClient:
    """A client for the settings' account; safe to share among threads, never retries by itself."""
    bases: Any = {"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else None
    return stripe.StripeClient(
        settings.STRIPE_API_KEY,
        base_addresses=bases,
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=settings.STRIPE_TIMEOUT_SECONDS),
    )


def create_credit(
    client: stripe.StripeClient,
    customer: str,
    params: CustomerBalanceTransactionCreateParams,
    *,
    key: str,
) -> Outcome:
    """Book a balance transaction (https://docs.stripe.com/api/customer_balance_transactions)."""

    def call() -> Outcome:
        answer = client.v1.customers.balance_transactions.create(
            customer, params, {"idempotency_key": key}
        )
        seen = _TransactionAnswer.model_validate(answer.to_dict())
        asked = (customer, params["amount"], params["currency"])
        if (seen.customer, seen.amount, seen.currency) != asked:
            return Unknown(f"Stripe answered with another transaction ({seen.id}).")
        return Done(seen.id, balance=seen.ending_balance)

    return _outcome(call)


def read_balance(
    client: stripe.StripeClient, customer: str
) -> Balance | Rejected | RateLimited | Unauthorised | Unknown:
    """The customer's balance as it stands at Stripe."""

    def call() -> Balance | Rejected:
        answer = client.v1.customers.retrieve(customer)
        seen = _CustomerAnswer.model_validate(answer.to_dict())
        if seen.deleted:
            return Rejected("customer_deleted", "The customer was deleted at Stripe.")
        return Balance(seen.id, seen.balance, seen.currency or "")

    return _outcome(call)


def read_subscription(
    client: stripe.StripeClient, subscription: str
) -> Subscription | Rejected | RateLimited | Unauthorised | Unknown:
    """The subscription as it stands at Stripe."""

    def call() -> Subscription:
        answer = client.v1.subscriptions.retrieve(subscription)
        return _subscription(_SubscriptionAnswer.model_validate(answer.to_dict()))

    return _outcome(call)


def extend_trial(
    client: stripe.StripeClient, subscription: str, params: SubscriptionUpdateParams, *, key: str
) -> Outcome:
    """Set a subscription's trial end (https://docs.stripe.com/billing/subscriptions/trials)."""

    def call() -> Outcome:
        answer = client.v1.subscriptions.update(subscription, params, {"idempotency_key": key})
        seen = _SubscriptionAnswer.model_validate(answer.to_dict())
        if (seen.id, seen.trial_end) != (subscription, params["trial_end"]):
            return Unknown(f"Stripe answered with trial_end {seen.trial_end} of {seen.id}.")
        return Done(seen.id)

    return _outcome(call)


def list_transactions(
    client: stripe.StripeClient,
    customer: str,
    *,
    created_from: datetime | None = None,
    after: str = "",
    with_invoices: bool = False,
) -> Page | Rejected | RateLimited | Unauthorised | Unknown:
    """One page of a customer's balance transactions, newest first, behind id `after`.

    `created_from` leaves out what is older; `with_invoices` asks for the invoices' numbers, too.
    """

    def call() -> Page:
        params: Any = {"limit": PAGE}
        if created_from is not None:
            params["created"] = {"gte": int(created_from.timestamp())}
        if after:
            params["starting_after"] = after
        if with_invoices:
            params["expand"] = ["data.invoice"]
        answer = client.v1.customers.balance_transactions.list(customer, params)
        seen = [_ListedAnswer.model_validate(each.to_dict()) for each in answer.data]
        return Page(tuple(_transaction(each) for each in seen), answer.has_more)

    return _outcome(call)


def _transaction(seen: _ListedAnswer) -> Transaction:
    invoice = seen.invoice
    if isinstance(invoice, str):
        invoice = _InvoiceAnswer(id=invoice)
    return Transaction(
        stripe_id=seen.id,
        amount=seen.amount,
        currency=seen.currency,
        metadata=seen.metadata or {},
        kind=seen.type,
        created=seen.created,
        ending_balance=seen.ending_balance,
        invoice=invoice.id if invoice else "",
        invoice_number=(invoice and invoice.number) or "",
    )


def _subscription(seen: _SubscriptionAnswer) -> Subscription:
    # after a trial Stripe keeps showing its end
    trial_end = seen.trial_end if seen.status == "trialing" else None
    return Subscription(seen.id, seen.status, trial_end, seen.metadata or {}, seen.trial_end)


Answered = TypeVar("Answered")


def _outcome(
    call: Callable[[], Answered],
) -> Answered | Rejected | RateLimited | Unauthorised | Unknown:
    """Stripe's exceptions, translated (what the library raises when was tried out, not read)."""
    try:
        return call()
    except stripe.StripeError as error:
        return _translated(error)
    except ValidationError as error:
        return Unknown(f"Stripe's answer is not understood: {error.error_count()} fields are off.")


def _translated(error: stripe.StripeError) -> Rejected | RateLimited | Unauthorised | Unknown:
    match error:
        case stripe.RateLimitError():
            return RateLimited()
        case stripe.AuthenticationError() | stripe.PermissionError():
            return Unauthorised(_words(error))
        case stripe.IdempotencyError():
            # The key was used for something else: only looking can tell what happened.
            return Unknown(_words(error), is_settled=True)
        case stripe.InvalidRequestError() | stripe.CardError():
            return Rejected(str(error.code or "invalid_request"), _words(error))
        case _:
            return _unknown(error)


def _unknown(error: stripe.StripeError) -> Unknown:
    """No answer, half an answer, a conflict with a call under way, or a failure over there."""
    headers = {str(name).lower(): value for name, value in dict(error.headers or {}).items()}
    is_failure = (error.http_status or 0) >= SERVER_ERROR
    return Unknown(
        f"{type(error).__name__}: {_words(error)}",
        is_settled=is_failure and headers.get("idempotent-replayed") == "true",
        is_stripes=is_failure and isinstance(error.json_body, dict) and "error" in error.json_body,
    )


def _words(error: stripe.StripeError) -> str:
    return str(error.user_message or error)[:500]
