"""The account, which says plainly that it is a sandbox.

Source: https://docs.stripe.com/api/accounts
"""

from backoffice.stripe_sandbox import parameters
from backoffice.stripe_sandbox.errors import missing_resource
from backoffice.stripe_sandbox.parameters import Params
from backoffice.stripe_sandbox.resources.balances import ACCOUNT_CURRENCY
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

ACCOUNT_ID = "acct_sandbox"
RETRIEVE = parameters.single()


def retrieve(world: World, params: Params, identifier: str = ACCOUNT_ID) -> StripeObject:
    if identifier != ACCOUNT_ID:
        raise missing_resource("account", identifier)
    return {
        "id": ACCOUNT_ID,
        "object": "account",
        "business_profile": {"name": "Stripe sandbox (no real money)"},
        "business_type": "company",
        "charges_enabled": True,
        "country": "DE",
        "default_currency": ACCOUNT_CURRENCY,
        "details_submitted": True,
        "email": "sandbox@example.com",
        "metadata": {},
        "payouts_enabled": False,
        "settings": {"dashboard": {"display_name": "Stripe sandbox", "timezone": "Etc/UTC"}},
        "type": "standard",
    }
