"""The files: a month in a layout, line by line."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from backoffice.money import minor_digits, to_major
from backoffice.spreadsheets import csv_lines
from compensation.books import datev
from compensation.books.month import Month
from compensation.books.postings import Posting, entries_of, postings

ExportError = datev.ExportError


@dataclass(frozen=True, slots=True)
class Layout:
    """How a month is written; `name` is the file's, of month, currency and part."""

    label: Any
    name: str
    encoding: str
    lines: Callable[[Iterable[Posting], Month, str], Iterator[str]]
    # The most postings that one file may hold; None: any number.
    most: int | None = None
    # Whether a file holds one currency only, the books' own unless another is asked for.
    is_of_one_currency: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """A file to be written: `lines` read the database while they are taken."""

    name: str
    encoding: str
    lines: Iterator[str]


GENERAL = (
    "date", "voucher", "debit_account", "credit_account", "amount", "currency", "text",
    "customer", "incident", "award", "stripe_id",
)  # fmt: skip
JOURNAL = (
    "date", "voucher", "account", "debit", "credit", "currency", "text", "customer", "incident",
)  # fmt: skip


def _general(found: Iterable[Posting], _month: Month, _currency: str) -> Iterator[str]:
    """A line a posting, with both accounts."""
    yield from csv_lines([GENERAL])
    yield from csv_lines(
        (
            each.day, each.voucher, each.debit, each.credit, _amount(each), each.currency,
            each.text, each.customer, each.incident, each.award, each.stripe_id,
        )
        for each in found
    )  # fmt: skip


def _journal(found: Iterable[Posting], _month: Month, _currency: str) -> Iterator[str]:
    """Two lines a posting, one an account, as most systems import a journal."""
    yield from csv_lines([JOURNAL])
    for each in found:
        about = (each.currency, each.text, each.customer, each.incident)
        amount = _amount(each)
        yield from csv_lines(
            [
                (each.day, each.voucher, each.debit, amount, "", *about),
                (each.day, each.voucher, each.credit, "", amount, *about),
            ]
        )


def _amount(posting: Posting) -> str:
    digits = minor_digits(posting.currency)
    return f"{to_major(posting.amount_minor, posting.currency):.{digits}f}"


LAYOUTS: dict[str, Layout] = {
    "general": Layout(_("General ledger"), "ledger-{month}{part}.csv", "utf-8", _general),
    "journal": Layout(
        _("Journal, a line an account"), "journal-{month}{part}.csv", "utf-8", _journal
    ),
    "datev": Layout(
        _("DATEV Buchungsstapel"),
        "EXTF_Amends_{month}_{currency}{part}.csv",
        "cp1252",
        datev.lines,
        most=datev.MOST,
        is_of_one_currency=True,
    ),
}


def parts_of(month: Month, layout: Layout, currency: str = "") -> int:
    """How many files `layout` needs for the month."""
    if layout.most is None:
        return 1
    entries = entries_of(month, _currency_of(layout, currency)).count()
    return max(1, -(-entries // layout.most))


def export(month: Month, layout: Layout, *, currency: str = "", part: int = 1) -> Exported:
    """The month in `layout`; of one `currency` if given, `part` 1 unless `parts_of` says more.

    Raises:
        ExportError: the settings or the currency don't allow this layout, or no such part.
    """
    wanted = _currency_of(layout, currency)
    entries = entries_of(month, wanted)
    if layout.is_of_one_currency:
        datev.check(wanted)
    parts = parts_of(month, layout, currency)
    if not 1 <= part <= parts:
        raise ExportError(f"There is no part {part}: {month} has {parts}.")
    if layout.most is not None:
        entries = entries[(part - 1) * layout.most : part * layout.most]
    name = layout.name.format(month=month, currency=wanted, part=f"_{part}" if parts > 1 else "")
    return Exported(name, layout.encoding, layout.lines(postings(entries), month, wanted))


def _currency_of(layout: Layout, currency: str) -> str:
    return currency or (settings.BOOKS_CURRENCY if layout.is_of_one_currency else "")
