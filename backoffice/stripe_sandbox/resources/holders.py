"""The customer as the holder of a balance and a currency: what other objects ask of it."""

from backoffice.stripe_sandbox.errors import invalid, missing_resource
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World


def living(
    world: World, identifier: str, *, param: str = "customer", status: int = 404
) -> StripeObject:
    """The customer, or Stripe's refusal when there is none or it was deleted."""
    customer = world.store.find("customers", identifier)
    if customer is None or customer.get("deleted"):
        raise missing_resource("customer", identifier, param=param, status=status)
    return customer


def blank(identifier: str, created: int) -> StripeObject:
    return {
        "id": identifier,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": created,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_credit_balance": {},
        "invoice_prefix": identifier[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def claim_currency(customer: StripeObject, currency: str) -> bool:
    """Set the customer's currency if it has none; True when it was set.

    Raises:
        StripeError: 400 in Stripe's words when the customer has another currency.
    """
    if customer["currency"] is None:
        customer["currency"] = currency
        customer["invoice_credit_balance"] = {currency: 0}
        return True
    if customer["currency"] != currency:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active "
            "subscription, subscription schedule, discount, quote, invoice item or customer "
            f"balance with currency {customer['currency']}.",
            "currency",
        )
    return False
