"""The first page: what is held in all, the customers, and the newest balance transactions."""

from html import escape
from urllib.parse import urlencode

from backoffice.stripe_sandbox.pages import frame
from backoffice.stripe_sandbox.store import Condition, Page, StripeObject
from backoffice.stripe_sandbox.totals import totals
from backoffice.stripe_sandbox.world import World

CUSTOMERS_A_PAGE = 25
NEWEST = 20
TRANSACTION_HEADS = [
    "Time (UTC) and id",
    "Type",
    ">Amount",
    ">Balance after",
    "Description",
    "Metadata",
]
# instr rather than LIKE, so that a % or _ that is looked for means itself.
_MATCHES = (
    "instr(lower(id || ' ' || coalesce(email, '') || ' ' || "
    "coalesce(json_extract(body, '$.name'), '')), lower(?)) > 0"
)


def render(world: World, words: str, number: int) -> str:
    """``words`` are looked for in id, name and e-mail; ``number`` is the page, from 1."""
    return frame.page(
        "Overview",
        "<h1>What the sandbox holds</h1>"
        f"<p>Its clock says {frame.when(world.now())} UTC.</p>"
        f"{_sums(world)}{_customers(world, words, number)}{_newest(world)}",
    )


def _sums(world: World) -> str:
    held = totals(world.store, {})
    tiles = [
        (f"{held['customers']:,}", "customers"),
        (f"{held['subscriptions']:,}", "subscriptions"),
        (f"{held['subscriptions_with_extended_trial']:,}", "with an extended trial"),
    ]
    for currency, sums in held["currencies"].items():
        credited = frame.money(sums["credited_minor"], currency)
        tiles.append((credited, f"credited in {_transactions(sums['credits'])}"))
        if sums["debits"]:
            debited = frame.money(sums["debited_minor"], currency)
            tiles.append((debited, f"debited in {_transactions(sums['debits'])}"))
        if sums["applications"]:
            invoices = frame.counted(sums["applications"], "invoice", "invoices")
            applied = frame.money(sums["applied_to_invoices_minor"], currency)
            tiles.append((applied, f"taken by {invoices}"))
    cells = "".join(f"<li><strong>{figure}</strong> {label}</li>" for figure, label in tiles)
    return f'<ul class="sums">{cells}</ul>'


def _transactions(number: int) -> str:
    return frame.counted(number, "transaction", "transactions")


def _customers(world: World, words: str, number: int) -> str:
    conditions: list[Condition] = [("deleted IS NOT ?", True)]
    if words:
        conditions.append((_MATCHES, words))
    first = (number - 1) * CUSTOMERS_A_PAGE
    found, more = world.store.page(
        "customers", Page(first + CUSTOMERS_A_PAGE, None, None, conditions)
    )
    shown = [_customer_row(each) for each in found[first:]]
    search = (
        '<form method="get" action="/"><label for="q">Find a customer</label> '
        f'<input id="q" name="q" type="search" value="{escape(words)}"> '
        "<button>Find</button></form>"
    )
    heads = ["Customer", "E-mail", ">Balance", "Created (UTC)"]
    nobody = "Nobody matches." if words else "No customers yet."
    rows = frame.table("Customers", heads, shown, nobody)
    return f"{search}{rows}{_steps(words, number, more=more)}"


def _customer_row(customer: StripeObject) -> list[str]:
    return [
        frame.customer_link(customer["id"], customer["name"]),
        escape(customer["email"] or "–"),
        frame.balance(customer["balance"], customer["currency"]),
        frame.when(customer["created"]),
    ]


def _steps(words: str, number: int, *, more: bool) -> str:
    def link(to: int, text: str) -> str:
        query = urlencode({"page": to, **({"q": words} if words else {})})
        return f'<a href="/?{escape(query)}">{text}</a>'

    steps = [link(number - 1, "Newer")] if number > 1 else []
    if more:
        steps.append(link(number + 1, "Older"))
    return f'<nav aria-label="Pages of customers">{" ".join(steps)}</nav>' if steps else ""


def _newest(world: World) -> str:
    found, _ = world.store.page("balance_transactions", Page(NEWEST))
    rows = [
        [frame.customer_link(each["customer"], _name(world, each["customer"])), *transaction(each)]
        for each in found
    ]
    heads = ["Customer", *TRANSACTION_HEADS]
    return frame.table("Newest balance transactions", heads, rows, "No transactions yet.")


def _name(world: World, customer: str) -> str | None:
    """None for a customer that has none, or was deleted."""
    found = world.store.find("customers", customer) or {}
    return found.get("name")


def transaction(entry: StripeObject) -> list[str]:
    """The cells of a balance transaction, under ``TRANSACTION_HEADS``."""
    kind = escape(entry["type"].replace("_", " "))
    if entry["invoice"]:
        kind += f"<br><code>{escape(entry['invoice'])}</code>"
    return [
        f"{frame.when(entry['created'])}<br><code>{escape(entry['id'])}</code>",
        kind,
        frame.money(entry["amount"], entry["currency"]),
        frame.balance(entry["ending_balance"], entry["currency"]),
        escape(entry["description"] or "–"),
        frame.metadata(entry["metadata"]) or "–",
    ]
