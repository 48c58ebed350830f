"""Events, read only.

Source: https://docs.stripe.com/api/events
"""

from backoffice.stripe_sandbox import parameters
from backoffice.stripe_sandbox.errors import missing_resource
from backoffice.stripe_sandbox.listing import equals, listed, one_of
from backoffice.stripe_sandbox.parameters import Params
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

RETRIEVE = parameters.single()
LIST = parameters.listing(
    {"type": parameters.text(), "types": parameters.listed(parameters.text())}
)


def retrieve(world: World, params: Params, identifier: str) -> StripeObject:
    event = world.store.find("events", identifier)
    if event is None:
        raise missing_resource("event", identifier)
    return event


def list_page(world: World, params: Params) -> StripeObject:
    conditions = [*equals(params, "type"), *one_of("type", params.get("types"))]
    return listed(world, "events", params, conditions)
