"""What Stripe says of a customer: read on threads, within a rate, and called off at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from compensation import stripe_calls
from compensation.issuing.bucket import TokenBucket
from compensation.reconciliation.ours import Books
from compensation.stripe_calls import (
    Page,
    RateLimited,
    Rejected,
    Subscription,
    Transaction,
    Unauthorised,
    Unknown,
)

# Pauses before a call that was not answered is made again.
PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0)


class CalledOffError(Exception):
    """Nothing more is to be read now."""


class NoAnswerError(Exception):
    """Stripe did not answer, several times."""


class KeyRefusedError(Exception):
    """Stripe does not accept our key: nobody's books can be read."""


@dataclass(slots=True)
class Seen:
    """One customer by Stripe's word.

    `transactions` by account, newest first; `refused` says in Stripe's words which accounts and
    subscriptions it does not show.
    """

    transactions: dict[str, list[Transaction]] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    calls: int = 0

    @property
    def count(self) -> int:
        return sum(len(each) for each in self.transactions.values())


Answer = TypeVar("Answer")
Call = Callable[[], Answer | Rejected | RateLimited | Unauthorised | Unknown]


@dataclass(frozen=True, slots=True)
class Reader:
    """Shared by all threads. `is_called_off` is asked just before a call is made."""

    client: stripe_calls.Client
    bucket: TokenBucket
    is_called_off: Callable[[], bool]

    def read(self, books: Books) -> Seen:
        """All that Stripe holds of this customer's accounts and extended trials.

        Raises:
            CalledOffError, NoAnswerError, KeyRefusedError.
        """
        seen = Seen()
        for account in books.accounts:
            self._read_account(account, seen)
        for name in books.subscriptions:
            answer = self._ask(seen, lambda name=name: self._subscription(name))  # type: ignore[misc]
            if isinstance(answer, Rejected):
                seen.refused[name] = answer.message
            else:
                seen.subscriptions[name] = answer
        return seen

    def _read_account(self, account: str, seen: Seen) -> None:
        found: list[Transaction] = []
        page = Page((), has_more=True)
        while page.has_more:
            after = found[-1].stripe_id if found else ""
            answer = self._ask(seen, lambda after=after: self._page(account, after))  # type: ignore[misc]
            if isinstance(answer, Rejected):
                seen.refused[account] = answer.message
                return
            page = answer
            found += page.transactions
            if not page.transactions:
                break
        seen.transactions[account] = found

    def _page(
        self, account: str, after: str
    ) -> Page | Rejected | RateLimited | Unauthorised | Unknown:
        return stripe_calls.list_transactions(self.client, account, after=after)

    def _subscription(
        self, name: str
    ) -> Subscription | Rejected | RateLimited | Unauthorised | Unknown:
        return stripe_calls.read_subscription(self.client, name)

    def _ask(self, seen: Seen, call: "Call[Answer]") -> Answer | Rejected:
        tries = 0
        while True:
            self.bucket.take()
            if self.is_called_off():
                raise CalledOffError
            seen.calls += 1
            match answer := call():
                case RateLimited():
                    self.bucket.slow_down()
                case Unauthorised(message):
                    raise KeyRefusedError(message)
                case Unknown(reason):
                    if tries == len(PAUSES_SECONDS):
                        raise NoAnswerError(reason)
                    time.sleep(PAUSES_SECONDS[tries])
                    tries += 1
                case _:
                    return answer
