"""What every page shares: the frame, the style, tables, and how money and time are written."""

from datetime import UTC, datetime
from html import escape
from pathlib import Path

from backoffice.stripe_sandbox import currencies

CSS = (Path(__file__).parent / "sandbox.css").read_text(encoding="utf-8")


def page(title: str, content: str) -> str:
    """A whole page. The content is HTML and is taken as it is; the title is escaped."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Stripe sandbox</title>"
        '<link rel="stylesheet" href="/sandbox.css"></head><body>'
        '<p class="notice" role="note"><strong>Sandbox.</strong> This is a stand-in for Stripe, '
        "made for trying things out. No real money is involved.</p>"
        '<header><a href="/">Stripe sandbox</a></header>'
        f"<main>{content}</main></body></html>"
    )


def table(caption: str, heads: list[str], rows: list[list[str]], empty: str) -> str:
    """A table whose cells are HTML already; a head that begins with ">" is a column of figures."""
    if not rows:
        return f'<h2>{escape(caption)}</h2><p class="empty">{escape(empty)}</p>'
    names = [escape(head.lstrip(">")) for head in heads]
    classes = [' class="figure"' if head.startswith(">") else "" for head in heads]
    top = "".join(
        f'<th scope="col"{kind}>{name}</th>' for name, kind in zip(names, classes, strict=True)
    )
    body = "".join(f"<tr>{_cells(row, names, classes)}</tr>" for row in rows)
    return (
        f'<h2>{escape(caption)}</h2><div class="scroll"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(row: list[str], names: list[str], classes: list[str]) -> str:
    # The label is what a narrow screen shows in place of the head.
    return "".join(
        f'<td{kind} data-label="{name}"><div>{cell}</div></td>'
        for cell, name, kind in zip(row, names, classes, strict=True)
    )


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def money(amount: int, currency: str | None) -> str:
    """An amount in minor units as people write it, such as ``EUR 1,234.50``."""
    if not currency:
        return "0"
    places = currencies.decimals(currency)
    whole, rest = divmod(abs(amount), 10**places)
    sign = "−" if amount < 0 else ""
    tail = f".{rest:0{places}d}" if places else ""
    return f"{sign}{currency.upper()} {whole:,}{tail}"


def balance(amount: int, currency: str | None) -> str:
    """A balance in words: Stripe's sign says that negative is in the customer's favour."""
    if not amount:
        return '<span class="none">none</span>'
    if amount < 0:
        return f'<span class="credit">{money(-amount, currency)} credit</span>'
    return f'<span class="debit">{money(amount, currency)} owed</span>'


def when(timestamp: int | None) -> str:
    """A moment in UTC."""
    if timestamp is None:
        return "–"
    moment = datetime.fromtimestamp(timestamp, UTC)
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M:%S}</time>'


def customer_link(identifier: str, text: str | None = None) -> str:
    return f'<a href="/customers/{escape(identifier)}">{escape(text or identifier)}</a>'


def metadata(pairs: dict[str, str]) -> str:
    return "<br>".join(
        f'<span class="key">{escape(key)}</span> {escape(value)}' for key, value in pairs.items()
    )
