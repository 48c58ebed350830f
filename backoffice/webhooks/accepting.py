"""Taking an event in: kept as it came, and nothing else done."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.conf import settings
from django.db import connection
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from backoffice.webhooks.models import EventState, StripeEvent
from backoffice.webhooks.signals import events_waiting

Text = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s\x00]+$")]


LONGEST_ID = 255


class MalformedError(Exception):
    """The bytes are signed, and still no event."""


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: Text
    object: Literal["event"]
    type: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9_.]+$")]
    created: Annotated[int, Field(strict=True, ge=0, le=7_258_118_400)]
    livemode: bool
    account: str | None = None
    request: Any = None
    data: Any = None


_KEEP = """
    INSERT INTO webhooks_stripeevent AS kept (event_id, kind, object_id, customer_id, request_key,
        body, created_at, received_at, deliveries, state, attempts, next_at, error, note)
    VALUES (%(event_id)s, %(kind)s, %(object_id)s, %(customer_id)s, %(request_key)s, %(body)s,
        %(created_at)s, %(now)s, 1, %(state)s, 0, %(now)s, '', %(note)s)
    ON CONFLICT (event_id) DO UPDATE SET deliveries = kept.deliveries + 1
    RETURNING kept.id, kept.deliveries
"""


def accept_event(body: bytes) -> bool:
    """Keep the event in `body`, whose signature was checked; whether it is new.

    One that is known is only counted: what Stripe sends again says nothing new.

    Raises:
        MalformedError: it is no event of Stripe's.
    """
    event = _read(body)
    note = _not_for_us(event)
    about = _dict(_dict(event.data).get("object"))
    values: dict[str, Any] = {
        "event_id": event.id,
        "kind": event.type,
        "object_id": _id(about),
        "customer_id": _id(about) if about.get("object") == "customer" else _id(about, "customer"),
        "request_key": _id(_dict(event.request), "idempotency_key"),
        "body": body,
        "created_at": datetime.fromtimestamp(event.created, UTC),
        "now": timezone.now(),
        "state": EventState.IGNORED if note else EventState.WAITING,
        "note": note,
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, values)
        pk, deliveries = cursor.fetchone()
    is_new: bool = deliveries == 1
    if is_new and not note:
        events_waiting.send_robust(StripeEvent, pk=pk)
    return is_new


def _read(body: bytes) -> _Event:
    try:
        return _Event.model_validate(json.loads(body))
    except (ValidationError, ValueError, RecursionError) as error:
        raise MalformedError(f"It is no event of Stripe's: {type(error).__name__}.") from None


def _not_for_us(event: _Event) -> str:
    """Why it is kept and not looked at; empty for most."""
    if event.account:
        return "It is of a connected account."
    is_live = settings.STRIPE_API_KEY.startswith(("sk_live_", "rk_live_"))
    if event.livemode and not is_live:
        return "It is live, and our key is for tests."
    if is_live and not event.livemode:
        return "It is a test, and our key is live."
    return ""


def _dict(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _id(found: dict[str, Any], name: str = "id") -> str:
    """An id, expanded or not; empty where there is none that can be one."""
    value = found.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    if not isinstance(value, str) or len(value) > LONGEST_ID:
        return ""
    return value if value.isascii() and value.isprintable() else ""
