"""A run as a report: figures, sums and findings, for the command line and as CSV."""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from backoffice.money import format_money
from compensation.models import Finding, ReconciliationRun
from compensation.reconciliation.differences import Line

COLUMNS = (
    "finding", "kind", "state", "customer", "award", "stripe_customer", "stripe_id", "currency",
    "ours_minor", "stripe_minor", "stripe_currency", "difference_minor", "our_date", "stripe_date",
    "found_at", "seen_at", "detail", "settled_reason",
)  # fmt: skip
# What spreadsheets would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def findings_of(run: ReconciliationRun) -> QuerySet[Finding]:
    """What `run` has found, as it stands now, oldest first.

    That is, what was found before or by it, and last by it or later.
    """
    found = Finding.objects.filter(first_run__lte=run.pk, last_run__gte=run.pk)
    if run.scope == ReconciliationRun.Scope.CUSTOMER:
        found = found.filter(customer=run.customer)
    return found.select_related("customer").order_by("id")


def run_report(run: ReconciliationRun) -> dict[str, Any]:
    """Everything about a run, as plain values. Amounts are in minor units, times in UTC.

    `open` counts all open findings, or the one customer's, whichever run found them.
    """
    still_open = Finding.objects.filter(state=Finding.State.OPEN)
    if run.scope == ReconciliationRun.Scope.CUSTOMER:
        still_open = still_open.filter(customer=run.customer)
    return {
        "run": run.pk,
        "scope": run.scope,
        "state": run.state,
        "note": run.note,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "customers": run.customers_done,
        "customers_skipped": run.customers_skipped,
        "awards": run.awards,
        "transactions": run.transactions,
        "calls": run.calls,
        "found": run.found,
        "seen_again": run.seen_again,
        "closed": run.closed,
        "open": still_open.count(),
        "totals": {name: sums(line) for name, line in run.totals.items()},
        "findings": [finding_row(finding) for finding in findings_of(run)],
    }


def sums(kept: dict[str, int]) -> dict[str, int]:
    """One currency's line with its difference, and what nothing explains: 0, always."""
    line = Line.of(kept)
    return line.as_dict() | {"difference": line.difference, "unexplained": line.unexplained}


def finding_row(finding: Finding) -> dict[str, Any]:
    """A finding under the names of COLUMNS."""
    row = {name: getattr(finding, name, None) for name in COLUMNS}
    row |= {
        "finding": finding.pk,
        "customer": finding.customer.reference,
        "award": finding.award_id,
    }
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def csv_lines(run: ReconciliationRun) -> Iterator[str]:
    """The findings of a run as CSV, a line at a time, in flat memory."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for finding in findings_of(run).iterator(chunk_size=500):
        row = finding_row(finding)
        yield writer.writerow([_cell(row[name]) for name in COLUMNS])


def report_text(report: dict[str, Any]) -> str:
    """For a person at a terminal."""
    counts = ("customers", "awards", "transactions", "calls")
    lines = [", ".join(f"{report[name]} {name}" for name in counts) + "."]
    for currency, line in report["totals"].items():
        words = {name: format_money(amount, currency, "en") for name, amount in line.items()}
        lines.append(
            f"{currency}: ours {words['ours']}, Stripe's {words['stripe']}, difference "
            f"{words['difference']} (findings {words['found']}, of these accepted "
            f"{words['accepted']}; under way {words['under_way']}; not ours {words['not_ours']})"
        )
    lines += [
        f"#{row['finding']} {row['kind']} ({row['state']}), customer {row['customer']}: "
        f"{row['detail']}"
        for row in report["findings"]
    ]
    if report["customers_skipped"]:
        lines.append(f"{report['customers_skipped']} customers could not be compared.")
    lines.append(f"{report['open']} open findings.")
    return "\n".join(lines)


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text
