"""CSV that people open in a spreadsheet: line by line, and nothing in it runs as a formula."""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

# What makes a spreadsheet take a cell for a formula
# (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: Any) -> str:
    """`value` as text that no spreadsheet runs: an apostrophe stands before what it would.

    A number stays one, with its sign.
    """
    if value is None:
        return ""
    if isinstance(value, int | Decimal):
        return str(value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_lines(rows: Iterable[Iterable[Any]], *, delimiter: str = ",") -> Iterator[str]:
    """Each row as a line of CSV (RFC 4180), its cells safe; for a streaming answer or a file."""
    writer = csv.writer(_Echo(), delimiter=delimiter)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text
