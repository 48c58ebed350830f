"""Events: what happened to which object, kept to be listed and queued to be delivered."""

from typing import Any

from backoffice.stripe_sandbox import ids
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World


def record(
    world: World, kind: str, thing: StripeObject, previous: dict[str, Any] | None = None
) -> None:
    """Write the event in the transaction of its cause.

    Args:
        world: where it happened.
        kind: Stripe's event type, such as ``customer.updated``.
        thing: the object after the change.
        previous: of an update, the former values of the fields that changed.
    """
    if world.silent:
        return
    data: dict[str, Any] = {"object": thing}
    if previous is not None:
        data["previous_attributes"] = previous
    event = {
        "id": ids.new("evt"),
        "object": "event",
        "api_version": world.api_version,
        "created": world.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": int(world.sends_webhooks),
        "request": {"id": world.request_id, "idempotency_key": world.idempotency_key},
        "type": kind,
    }
    world.store.add("events", event)
    if world.sends_webhooks:
        world.store.execute(
            "INSERT INTO deliveries (event, type) VALUES (?, ?)", (event["id"], kind)
        )


def changes(before: StripeObject, after: StripeObject) -> dict[str, Any]:
    """The former values of what differs, as ``previous_attributes`` shows them."""
    return {name: before.get(name) for name in after if before.get(name) != after[name]}
