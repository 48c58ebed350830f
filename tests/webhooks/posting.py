"""Posts to our door what Stripe would."""

import itertools
import json
import time
from typing import Any

from backoffice.stripe_sandbox.posting import signature

SECRET = "whsec_test"
URL = "/webhooks/stripe/"
_numbers = itertools.count(1)


def an_event(kind: str = "customer.updated", about: Any = None, **fields: Any) -> dict[str, Any]:
    """As Stripe sends it, about a customer unless told."""
    return {
        "id": f"evt_{next(_numbers)}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "data": {"object": about or {"id": "cus_1", "object": "customer"}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": "req_1", "idempotency_key": None},
        "type": kind,
        **fields,
    }


def post(client: Any, event: Any, *, secret: str = SECRET, at: int | None = None, **more: Any):
    """`event` signed with `secret` at Unix second `at` (now); bytes go as they are."""
    body = event if isinstance(event, bytes) else json.dumps(event, default=str).encode()
    signed = signature(body.decode("latin-1"), secret, int(time.time()) if at is None else at)
    return client.post(
        URL, body, content_type=more.pop("content_type", "application/json"),
        headers={"Stripe-Signature": more.pop("signed", signed)}, **more,
    )  # fmt: skip
