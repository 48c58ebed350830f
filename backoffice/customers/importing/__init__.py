"""Customers, subscriptions and component use out of a CSV file, as a map says."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, date
from typing import BinaryIO

from django.db import connection, transaction
from django.utils import timezone

from backoffice import money
from backoffice.customers.importing import writing
from backoffice.customers.importing.checking import MOMENTS, Checker, Row
from backoffice.customers.importing.map import (
    ImportMap,
    ListComponents,
    MapError,
    SubscriptionMap,
    read_map,
)
from backoffice.customers.importing.reading import Table, open_table
from backoffice.customers.importing.report import BadLine, Report, bad_lines_csv

__all__ = [
    "BadLine",
    "ImportMap",
    "MapError",
    "Report",
    "bad_lines_csv",
    "import_customers",
    "read_map",
]

FIRST_ROWS = 10


def import_customers(
    file: BinaryIO,
    *,
    how: ImportMap,
    file_name: str = "",
    as_of: date | None = None,
    dry_run: bool = False,
) -> Report:
    """Create and update customers from a seekable binary `file`; bad lines are left out.

    One transaction: all good lines or, on an error, none. Imports wait for each other. `as_of`
    stands above the map's reference date. With `dry_run` the same is done and taken back.

    Raises:
        MapError: the map does not fit the file, or the file is no CSV at all.
    """
    began = time.monotonic()
    pinned = as_of or how.dates.reference
    as_of = pinned or timezone.now().astimezone(UTC).date()
    with closing(open_table(file, how.file, _columns(how))) as table:
        report = Report(file_name, table.sha256, as_of, dry_run, notices=table.notices)
        checker = Checker(how, table.header, as_of=as_of, is_pinned=pinned is not None)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('import_customers'))")
            _write(how, checker, table, report)
            if dry_run:
                transaction.set_rollback(True)
    report.seconds = round(time.monotonic() - began, 3)
    return report


def _write(how: ImportMap, checker: Checker, table: Table, report: Report) -> None:
    writing.stage(_seen(checker.rows(table.records()), report), report)
    report.add_bad([*table.bad, *checker.bad])
    writing.remove_conflicts(report)
    report.lines = report.imported_lines + report.bad_line_count
    mapped = set(how.customer.model_fields_set)
    if how.subscription is not None:
        mapped.add("currency")
    report.customers = writing.write_customers(mapped)
    if how.subscription is None:
        return
    report.subscriptions = writing.write_subscriptions(_mapped(how.subscription))
    if how.components:
        spoken_of = None
        if not any(isinstance(one, ListComponents) for one in how.components):
            spoken_of = set(checker.component_names)
        report.components_created, report.uses_added, report.uses_removed = (
            writing.write_components(checker.component_names, spoken_of)
        )


def _mapped(how: SubscriptionMap) -> set[str]:
    """The fields of a subscription that this map speaks of."""
    mapped = set(how.model_fields_set) - {"interval", "fee", "canceled_at"}
    mapped |= {"fee_minor", "status", "currency"}
    if "interval" in how.model_fields_set:
        mapped.add("interval_months")
    if how.ended_at is not None or how.canceled_at is not None:
        mapped.add("ended_at")
    return mapped


def _columns(how: ImportMap) -> set[str]:
    """Every column that the map names."""
    sources = [getattr(how.customer, name) for name in type(how.customer).model_fields]
    if how.subscription is not None:
        fields = type(how.subscription).model_fields
        sources += [getattr(how.subscription, name) for name in fields if name != "canceled_at"]
    return {source.column for source in sources if source is not None and source.column}


def _seen(rows: Iterable[Row], report: Report) -> Iterator[Row]:
    """The same rows; the first ones are kept for a person to look at."""
    for row in rows:
        if len(report.first_rows) < FIRST_ROWS:
            report.first_rows.append(_shown(row))
        yield row


def _shown(row: Row) -> dict[str, object]:
    shown: dict[str, object] = {"line": row.line, **row.customer}
    if row.subscription is not None:
        found = row.subscription
        shown |= {
            "plan": found["plan"],
            "fee": money.format_money(found["fee_minor"], found["currency"]),
            "interval_months": found["interval_months"],
            "status": found["status"],
            "components": ", ".join(row.components),
            **{
                name: found[name].strftime("%Y-%m-%d %H:%M") if found[name] else ""
                for name in MOMENTS
                if name in found
            },
        }
    return shown
