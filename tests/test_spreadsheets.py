import csv
from datetime import date
from decimal import Decimal

import pytest

from backoffice.spreadsheets import csv_lines, safe_cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        ("Acme", "Acme"),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        (-5, "-5"),
        (Decimal("-3.20"), "-3.20"),
        (date(2026, 10, 1), "2026-10-01"),
    ],
)
def test_safe_cell(value, cell):
    assert safe_cell(value) == cell


def test_csv_lines_can_be_read_back():
    rows = [["a", "b"], ['with "quotes", comma', "two\nlines"]]
    assert list(csv.reader("".join(csv_lines(rows)).splitlines(keepends=True))) == rows
