"""The desk's reports."""

from collections.abc import Iterator

from tests.permissions.desk.tickets import LEAD
from tests.permissions.rows import AUDITS, Row


def rows() -> Iterator[Row]:
    yield Row("support-reports", LEAD | AUDITS)
    yield Row("support-reports-csv", LEAD | AUDITS)
