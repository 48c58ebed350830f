"""The door for Stripe, and what came through it."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from backoffice.webhooks.models import StripeEvent
from tests.permissions.rows import (
    ADMINISTRATOR,
    APPROVER,
    AUDITS,
    FINANCE,
    NO_ONE,
    Row,
    admin,
    pages,
)


def rows() -> Iterator[Row]:
    # Only what is signed with a secret of ours is let in, whoever brings it.
    for method in ("GET", "POST"):
        yield Row("stripe-webhook", NO_ONE, method)
    see = FINANCE | APPROVER | AUDITS
    yield from pages("webhooks", "stripeevent", "stripe_event", see=see)
    settles = FINANCE | ADMINISTRATOR
    yield from admin("webhooks_stripeevent_again", settles, "pk=stripe_event")
    yield from admin("webhooks_stripeevent_ignore", settles, "pk=stripe_event")


def world(made: dict[str, Any]) -> dict[str, Any]:
    now = timezone.now()
    row = StripeEvent.objects.create(
        event_id="evt_1", kind="invoice.paid", body=b"{}", created_at=now, received_at=now,
        next_at=now, state="parked", error="KeyError",
    )  # fmt: skip
    return {"stripe_event": row.pk}
