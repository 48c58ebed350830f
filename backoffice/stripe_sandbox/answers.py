"""What goes back over the line: status, bytes and headers."""

import json
from dataclasses import dataclass, field

from backoffice.stripe_sandbox.errors import StripeError
from backoffice.stripe_sandbox.store import StripeObject

_PLAIN_ERROR_STATUSES = range(400, 500)
# The one server error that leaves nothing under the key.
_BUSY = 503


@dataclass(slots=True)
class Answer:
    """An answer of the API; the header names are in lower case."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    is_cut: bool = False
    """Half of it is sent, then the line is dropped."""


def of_object(thing: StripeObject) -> Answer:
    return Answer(200, json.dumps(thing, separators=(",", ":")).encode())


def of_error(error: StripeError) -> Answer:
    """The headers say whether trying again can help, where Stripe says so."""
    headers = {}
    if error.code == "rate_limit":
        headers["stripe-rate-limited-reason"] = "global-rate"
    elif error.code == "idempotency_key_in_use" or error.status == _BUSY:
        headers["stripe-should-retry"] = "true"
    elif error.status in _PLAIN_ERROR_STATUSES:
        headers["stripe-should-retry"] = "false"
    elif error.status >= 500:  # noqa: PLR2004 - the range of server errors
        # Stripe keeps a 500 under its key, so that trying again would only replay it.
        headers["stripe-should-retry"] = "false"
    return Answer(error.status, json.dumps(error.body(), indent=2).encode(), headers)


def bad_gateway() -> Answer:
    """What stands before Stripe answers now and then: HTML, and not a word about the outcome."""
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"
    return Answer(502, page, content_type="text/html")


def truncated(answer: Answer) -> Answer:
    """The first half of the body under a complete HTTP frame: the JSON doesn't parse."""
    return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
