"""The ledger as accountants take it: by month, in double entry, with the company's account codes.

docs/money.md tells finance what is in these files, docs/decisions/ why they look as they do.
"""

from compensation.books.files import LAYOUTS, Exported, ExportError, Layout, export, parts_of
from compensation.books.month import Month, months_with_entries
from compensation.books.postings import Posting, Total, entries_of, postings, totals

__all__ = [
    "LAYOUTS",
    "ExportError",
    "Exported",
    "Layout",
    "Month",
    "Posting",
    "Total",
    "entries_of",
    "export",
    "months_with_entries",
    "parts_of",
    "postings",
    "totals",
]
