"""A customer's balance transactions at Stripe, the newest first until a known one."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from compensation import stripe_calls
from compensation.stripe_calls import Page, RateLimited, Rejected, Transaction, Unauthorised

THREADS = 8
# Calls of one page: refused for the rate, or not answered.
TRIES = 5
MOST_PAGES = 200


class SilentError(Exception):
    """Stripe does not answer, or not to us: nothing can be read from anybody now."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """`wait` returns when a call may be made; `pause` keeps everybody from calling for a while."""

    wait: Callable[[], None]
    pause: Callable[[float], None]


def read_balances(
    known: Mapping[str, Collection[str]], pacing: Pacing
) -> Iterator[tuple[str, list[Transaction] | str]]:
    """Each customer (Stripe's id) with its transactions, oldest first, or Stripe's refusal.

    `known` says up to which transactions they were read before, by customer; what a page brings
    beyond is given, too.

    Raises:
        SilentError: Stripe cannot be asked at all.
    """
    client = stripe_calls.stripe_client()

    def read(customer: str) -> list[Transaction] | str:
        return _read(client, customer, known[customer], pacing)

    with ThreadPoolExecutor(THREADS, "balances") as pool:
        yield from zip(known, pool.map(read, known), strict=True)


def _read(
    client: stripe_calls.Client, customer: str, known: Collection[str], pacing: Pacing
) -> list[Transaction] | str:
    found: list[Transaction] = []
    for _page in range(MOST_PAGES):
        after = found[-1].stripe_id if found else ""
        page = _page_of(client, customer, after, pacing)
        if isinstance(page, Rejected):
            return page.message
        found += page.transactions
        is_known = any(each.stripe_id in known for each in page.transactions)
        if is_known or not page.has_more or not page.transactions:
            return found[::-1]
    return f"There are more than {MOST_PAGES} pages of transactions."


def _page_of(
    client: stripe_calls.Client, customer: str, after: str, pacing: Pacing
) -> Page | Rejected:
    reason = "We ask too often."
    for attempt in range(TRIES):
        pacing.wait()
        answer = stripe_calls.list_transactions(client, customer, after=after, with_invoices=True)
        match answer:
            case Page() | Rejected():
                return answer
            case RateLimited():
                pacing.pause(2.0**attempt / 4)
            case Unauthorised(message):
                raise SilentError(f"Stripe does not accept our key: {message}")
            case _:
                reason = answer.reason
                pacing.pause(2.0**attempt / 4)
    raise SilentError(reason)
