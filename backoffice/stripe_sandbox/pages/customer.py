"""One customer: balance, subscriptions, transactions, invoices."""

from html import escape

from backoffice.stripe_sandbox.pages import frame
from backoffice.stripe_sandbox.pages.overview import TRANSACTION_HEADS, transaction
from backoffice.stripe_sandbox.resources import holders, subscriptions
from backoffice.stripe_sandbox.store import Page, StripeObject
from backoffice.stripe_sandbox.world import World

MOST = 100


def render(world: World, identifier: str) -> str:
    """The page; raises StripeError (404) when there is no such customer."""
    customer = holders.living(world, identifier)
    name = customer["name"] or customer["email"] or identifier
    facts = [
        ("Id", f"<code>{escape(identifier)}</code>"),
        ("E-mail", escape(customer["email"] or "–")),
        ("Balance", frame.balance(customer["balance"], customer["currency"])),
        ("Created (UTC)", frame.when(customer["created"])),
        ("Metadata", frame.metadata(customer["metadata"]) or "–"),
    ]
    listed = "".join(f"<dt>{term}</dt><dd>{fact}</dd>" for term, fact in facts)
    return frame.page(
        name,
        f"<h1>{escape(name)}</h1><dl>{listed}</dl>"
        f"{_subscriptions(world, identifier)}{_transactions(world, identifier)}"
        f"{_invoices(world, identifier)}",
    )


def _subscriptions(world: World, customer: str) -> str:
    found, _ = subscriptions.of_customer(world, customer, limit=MOST)
    rows = [
        [
            f"<code>{escape(each['id'])}</code>",
            escape(each["status"]),
            "<br>".join(_plan(item) for item in each["items"]["data"]),
            frame.when(each["items"]["data"][0]["current_period_end"]),
            frame.when(each["trial_end"]),
            frame.metadata(each["metadata"]) or "–",
        ]
        for each in found
    ]
    heads = ["Subscription", "Status", "Price", "Period ends", "Trial ends", "Metadata"]
    return frame.table("Subscriptions", heads, rows, "No subscriptions.")


def _plan(item: StripeObject) -> str:
    price = item["price"]
    every, unit = price["recurring"]["interval_count"], price["recurring"]["interval"]
    span = unit if every == 1 else f"{every} {unit}s"
    return f"{item['quantity']} × {frame.money(price['unit_amount'], price['currency'])} / {span}"


def _transactions(world: World, customer: str) -> str:
    found, _ = world.store.page(
        "balance_transactions", Page(MOST, conditions=[("customer = ?", customer)])
    )
    rows = [transaction(each) for each in found]
    return frame.table("Balance transactions", TRANSACTION_HEADS, rows, "No transactions.")


def _invoices(world: World, customer: str) -> str:
    found, _ = world.store.page("invoices", Page(MOST, conditions=[("customer = ?", customer)]))
    rows = [
        [
            escape(each["number"]),
            f"<code>{escape(each['id'])}</code>",
            escape(each["status"]),
            frame.money(each["total"], each["currency"]),
            frame.money(each["total"] - each["amount_due"], each["currency"]),
            frame.money(each["amount_due"], each["currency"]),
            frame.when(each["created"]),
        ]
        for each in found
    ]
    heads = ["Number", "Invoice", "Status", ">Total", ">From balance", ">Due", "Created (UTC)"]
    return frame.table("Invoices", heads, rows, "No invoices.")
