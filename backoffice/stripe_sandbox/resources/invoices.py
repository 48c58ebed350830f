"""Invoices: made by the control door that bills, paid at once, and taking the customer's balance.

Source for how the balance is applied: https://docs.stripe.com/billing/customer/balance
"""

from backoffice.stripe_sandbox import currencies, events, ids, listing, parameters
from backoffice.stripe_sandbox.errors import invalid, missing_resource
from backoffice.stripe_sandbox.parameters import Params, Schema
from backoffice.stripe_sandbox.resources import balances, holders, subscriptions
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

RETRIEVE = parameters.single()
LIST = parameters.listing(
    {
        "customer": parameters.text(),
        "subscription": parameters.text(),
        "status": parameters.choice("draft", "open", "paid", "uncollectible", "void"),
        "collection_method": parameters.choice("charge_automatically", "send_invoice"),
    }
)
BILL = Schema(
    {
        "subscription": parameters.text(may_unset=False),
        "customer": parameters.text(may_unset=False),
        "amount": parameters.integer(0, currencies.LARGEST_AMOUNT),
        "currency": parameters.currency,
        "paid": parameters.boolean,
    }
)
VOID = parameters.single()


def retrieve(world: World, params: Params, identifier: str) -> StripeObject:
    invoice = world.store.find("invoices", identifier)
    if invoice is None:
        raise missing_resource("invoice", identifier)
    return invoice


def list_page(world: World, params: Params) -> StripeObject:
    conditions = listing.equals(params, "customer", "subscription", "status", "collection_method")
    return listing.listed(world, "invoices", params, conditions)


def bill(world: World, params: Params) -> list[StripeObject]:
    """What the end of a cycle does: invoice a subscription, or a customer, now.

    ``subscription`` bills its items; ``customer`` bills every subscription that is active, or, with
    ``amount`` (minor units) and ``currency``, just that sum, which stays open unless ``paid``. A
    subscription in trial is refused: until its trial ends there is nothing to pay.
    """
    if "subscription" in params:
        return [_bill_subscription(world, subscriptions.existing(world, params["subscription"]))]
    if "customer" not in params:
        raise invalid("Name a `subscription` or a `customer`.", "subscription")
    customer = holders.living(world, params["customer"])
    if "amount" in params:
        currency = params.get("currency") or customer["currency"] or balances.ACCOUNT_CURRENCY
        invoice = _finalised(world, customer, params["amount"], currency, None)
        return [_paid(world, invoice) if params.get("paid", True) else invoice]
    found, _ = subscriptions.of_customer(world, customer["id"], limit=100)
    return [_bill_subscription(world, each) for each in found if each["status"] == "active"]


def _bill_subscription(world: World, subscription: StripeObject) -> StripeObject:
    if subscription["status"] != "active":
        raise invalid(
            f"Subscription {subscription['id']} is {subscription['status']}; "
            "there is nothing to bill.",
            "subscription",
        )
    customer = holders.living(world, subscription["customer"])
    amount = sum(
        item["price"]["unit_amount"] * item["quantity"] for item in subscription["items"]["data"]
    )
    invoice = _finalised(world, customer, amount, subscription["currency"], subscription)
    _paid(world, invoice)
    subscription["latest_invoice"] = invoice["id"]
    world.store.replace("subscriptions", subscription)
    return invoice


def void(world: World, params: Params, identifier: str) -> StripeObject:
    """An open invoice that nobody has to pay any more gives back what it took of the balance."""
    invoice = retrieve(world, params, identifier)
    if invoice["status"] != "open":
        raise invalid(f"You can only void an open invoice; this one is {invoice['status']}.")
    customer = holders.living(world, invoice["customer"])
    applied = invoice["total"] - invoice["amount_due"]
    if applied:
        balances.unapply_from_invoice(world, customer, applied, invoice)
    invoice["status"] = "void"
    invoice["status_transitions"]["voided_at"] = world.now()
    _keep(world, invoice)
    events.record(world, "invoice.voided", invoice)
    return invoice


def _finalised(
    world: World,
    customer: StripeObject,
    amount: int,
    currency: str,
    subscription: StripeObject | None,
) -> StripeObject:
    """Draft and finalise (which takes the balance) an invoice of ``amount`` minor units."""
    holders.claim_currency(customer, currency)
    invoice = blank(world, customer, amount, currency, subscription)
    world.store.add("invoices", invoice, subscription=subscription and subscription["id"])
    events.record(world, "invoice.created", invoice)
    applied = min(amount, -customer["balance"])
    if applied:
        balances.apply_to_invoice(world, customer, applied, invoice)
    due = amount - applied
    invoice.update(
        status="open", ending_balance=customer["balance"], amount_due=due, amount_remaining=due
    )
    invoice["status_transitions"]["finalized_at"] = world.now()
    _keep(world, invoice)
    customer["next_invoice_sequence"] += 1
    world.store.replace("customers", customer)
    events.record(world, "invoice.finalized", invoice)
    return invoice


def _paid(world: World, invoice: StripeObject) -> StripeObject:
    invoice.update(
        status="paid", amount_paid=invoice["amount_due"], amount_remaining=0, attempted=True
    )
    invoice["status_transitions"]["paid_at"] = world.now()
    _keep(world, invoice)
    events.record(world, "invoice.paid", invoice)
    return invoice


def _keep(world: World, invoice: StripeObject) -> None:
    parent = invoice["parent"]
    subscription = parent and parent["subscription_details"]["subscription"]
    world.store.replace("invoices", invoice, subscription=subscription)


def blank(
    world: World,
    customer: StripeObject,
    amount: int,
    currency: str,
    subscription: StripeObject | None,
) -> StripeObject:
    """A draft for ``amount`` minor units."""
    identifier, now = ids.new("in"), world.now()
    lines = _lines(identifier, amount, currency, subscription, now)
    period = lines[0]["period"]
    return {
        "id": identifier,
        "object": "invoice",
        "account_country": "DE",
        "account_name": "Sandbox",
        "amount_due": amount,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": amount,
        "attempted": False,
        "auto_advance": False,
        "billing_reason": "subscription_cycle" if subscription else "manual",
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "description": None,
        "discounts": [],
        "due_date": None,
        "ending_balance": None,
        "lines": listing.envelope(lines, f"/v1/invoices/{identifier}/lines"),
        "livemode": False,
        "metadata": {},
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        "parent": _parent(subscription),
        "period_end": period["end"],
        "period_start": period["start"],
        "starting_balance": customer["balance"],
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": amount,
        "total": amount,
    }


def _parent(subscription: StripeObject | None) -> StripeObject | None:
    if subscription is None:
        return None
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {
        "quote_details": None,
        "subscription_details": details,
        "type": "subscription_details",
    }


def _lines(
    invoice: str, amount: int, currency: str, subscription: StripeObject | None, now: int
) -> list[StripeObject]:
    items = subscription["items"]["data"] if subscription else []
    drafts = [
        (
            item["price"]["unit_amount"] * item["quantity"],
            item["quantity"],
            {"start": item["current_period_start"], "end": item["current_period_end"]},
        )
        for item in items
    ] or [(amount, 1, {"start": now, "end": now})]
    return [
        {
            "id": ids.new("il"),
            "object": "line_item",
            "amount": line_amount,
            "currency": currency,
            "description": None,
            "discounts": [],
            "invoice": invoice,
            "livemode": False,
            "metadata": {},
            "period": period,
            "quantity": quantity,
            "subtotal": line_amount,
        }
        for line_amount, quantity, period in drafts
    ]
