"""Customer balance transactions: each moves the customer's balance, none is ever taken back.

Amounts are integers in minor units: negative is a credit, positive a debit. Only description and
metadata can be changed later. Source: https://docs.stripe.com/api/customer_balance_transactions
"""

from backoffice.stripe_sandbox import currencies, events, ids, parameters
from backoffice.stripe_sandbox.errors import missing_resource
from backoffice.stripe_sandbox.listing import equals, listed
from backoffice.stripe_sandbox.parameters import Params
from backoffice.stripe_sandbox.resources import holders
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

ACCOUNT_CURRENCY = "usd"
_EDITABLE: dict[str, parameters.Check] = {
    "description": parameters.text(350),
    "metadata": parameters.metadata,
}
CREATE = parameters.single(
    {"amount": parameters.integer(), "currency": parameters.currency, **_EDITABLE},
    required=("amount", "currency"),
)
RETRIEVE = parameters.single()
UPDATE = parameters.single(_EDITABLE)
LIST = parameters.listing({"invoice": parameters.text()})


def create(world: World, params: Params, customer_id: str) -> StripeObject:
    customer = holders.living(world, customer_id)
    currencies.check_amount(params["amount"], params["currency"])
    entry = _entry(world, customer, params["amount"], params["currency"])
    entry["description"] = params.get("description") or None
    entry["metadata"] = parameters.merged_metadata({}, params.get("metadata", {}))
    book(world, customer, entry)
    return entry


def retrieve(world: World, params: Params, customer_id: str, identifier: str) -> StripeObject:
    holders.living(world, customer_id)
    entry = world.store.find("balance_transactions", identifier)
    if entry is None or entry["customer"] != customer_id:
        raise missing_resource("customer balance transaction", identifier)
    return entry


def update(world: World, params: Params, customer_id: str, identifier: str) -> StripeObject:
    entry = retrieve(world, params, customer_id, identifier)
    if "description" in params:
        entry["description"] = params["description"] or None
    if "metadata" in params:
        entry["metadata"] = parameters.merged_metadata(entry["metadata"], params["metadata"])
    world.store.replace("balance_transactions", entry)
    return entry


def list_page(world: World, params: Params, customer_id: str) -> StripeObject:
    holders.living(world, customer_id)
    conditions = [("customer = ?", customer_id), *equals(params, "invoice")]
    url = f"/v1/customers/{customer_id}/balance_transactions"
    return listed(world, "balance_transactions", params, conditions, url)


def book(world: World, customer: StripeObject, entry: StripeObject) -> None:
    """Add the transaction and move the balance; announces ``customer.updated`` and nothing else."""
    before = {name: customer[name] for name in ("balance", "currency", "invoice_credit_balance")}
    holders.claim_currency(customer, entry["currency"])
    customer["balance"] += entry["amount"]
    customer["invoice_credit_balance"] = {entry["currency"]: -customer["balance"]}
    entry["ending_balance"] = customer["balance"]
    world.store.add("balance_transactions", entry)
    world.store.replace("customers", customer)
    changed = {name: value for name, value in before.items() if customer[name] != value}
    events.record(world, "customer.updated", customer, changed)


def set_balance(world: World, customer: StripeObject, balance: int, *, kind: str) -> None:
    """The balance given on the customer itself: Stripe books the difference as a transaction."""
    currency = customer["currency"] or ACCOUNT_CURRENCY
    book(world, customer, _entry(world, customer, balance - customer["balance"], currency, kind))


def apply_to_invoice(
    world: World, customer: StripeObject, amount: int, invoice: StripeObject
) -> None:
    """An invoice takes credit (positive amount) or collects what is owed (negative)."""
    entry = _entry(world, customer, amount, invoice["currency"], "applied_to_invoice")
    entry["invoice"] = invoice["id"]
    book(world, customer, entry)


def unapply_from_invoice(
    world: World, customer: StripeObject, amount: int, invoice: StripeObject
) -> None:
    """A voided invoice gives back the credit that it took (positive amount)."""
    entry = _entry(world, customer, -amount, invoice["currency"], "unapplied_from_invoice")
    entry["invoice"] = invoice["id"]
    book(world, customer, entry)


def _entry(
    world: World, customer: StripeObject, amount: int, currency: str, kind: str = "adjustment"
) -> StripeObject:
    return {
        "id": ids.new("cbtxn"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": None,
        "created": world.now(),
        "credit_note": None,
        "currency": currency,
        "customer": customer["id"],
        "description": None,
        "ending_balance": 0,
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }
