"""A backtest's figures for whoever reads them. Customers' names are looked up only here."""

from collections.abc import Iterator
from typing import Any

from backoffice.customers.models import Customer
from backoffice.money import format_money
from compensation.backtesting.runs import is_stale
from compensation.models import Backtest
from compensation.models.award import Exclusion
from incidents.models import Incident

NOTHING: dict[str, int] = {"amount_minor": 0, "awards": 0, "customers": 0, "largest_minor": 0}
_MONTHS = ("month", "currency", "amount_minor", "against_amount_minor", "difference_minor",
           "customers", "against_customers", "awards", "against_awards", "largest_minor",
           "against_largest_minor")  # fmt: skip
_DIFFERENCES = ("customer", "name", "currency", "amount_minor", "against_amount_minor",
                "difference_minor")  # fmt: skip


def as_report(run: Backtest) -> dict[str, Any]:
    """Everything as plain values: amounts in minor units, days in UTC, customers by reference."""
    result = run.result
    return {
        "backtest": run.pk,
        "version": f"{run.version.policy.key}:{run.version.number}",
        "against": f"{run.against.policy.key}:{run.against.number}" if run.against else None,
        "from": run.first.isoformat(),
        "to": run.last.isoformat(),
        "state": run.state,
        "stale": is_stale(run),
        "as_if_not_held_out": {
            f"{version.policy.key}:{version.number}": f"{version.holdout_percent.normalize():f}"
            for version in run.holding_out
        },
        **{name: value for name, value in result.items() if name != "differences"},
        "differences": [
            {**row, "customer": customer.reference if customer else None}
            for row, customer in named_differences(result.get("differences", []))
        ],
    }


def named_differences(
    rows: list[dict[str, Any]],
) -> list[tuple[dict[str, Any], Customer | None]]:
    """Each with its customer, or none where that is gone; what differs stands beside."""
    found = Customer.objects.in_bulk([row["customer"] for row in rows])
    return [
        (row | {"difference": row["ours"] - row["theirs"]}, found.get(row["customer"]))
        for row in rows
    ]


def incidents_of(result: dict[str, Any]) -> dict[int, Incident]:
    """Those of the largest awards."""
    largest = [
        total[side]["largest"]["incident"]
        for total in result.get("totals", [])
        for side in ("ours", "theirs")
        if total[side]["largest"]
    ]
    return Incident.objects.in_bulk(largest)


def month_rows(run: Backtest) -> Iterator[list[Any]]:
    """The table of months with its head, for a spreadsheet."""
    yield list(_MONTHS)
    for row in run.result.get("months", []):
        ours, theirs = row["ours"], row["theirs"]
        amounts = (ours["amount_minor"], theirs["amount_minor"])
        pairs = [
            figure
            for name in ("customers", "awards", "largest_minor")
            for figure in (ours[name], theirs[name])
        ]
        yield [row["month"], row["currency"], *amounts, amounts[0] - amounts[1], *pairs]


def difference_rows(run: Backtest) -> Iterator[list[Any]]:
    """The customers for whom the two differ most, with a head."""
    yield list(_DIFFERENCES)
    for row, customer in named_differences(run.result.get("differences", [])):
        who = (customer.reference, customer.name) if customer else ("", "")
        yield [*who, row["currency"], row["ours"], row["theirs"], row["difference"]]


def as_text(report: dict[str, Any]) -> str:
    """For a person at a terminal."""
    against = report["against"]
    beside = f" beside {against}" if against else ""
    seconds = f"{report['milliseconds'] / 1000:.1f} s"
    stretch = f"{report['from']} to {report['to']}: {report['incidents']} incidents"
    lines = [f"{report['version']}{beside}, {stretch}, {seconds}"]
    lines += [
        f"{row['month']}  {_beside(row, against, row['currency'])}" for row in report["months"]
    ]
    for total in report["totals"]:
        lines.append(f"total    {_beside(total, against, total['currency'])}")
        if against:
            lines.append(f"         {total['get_more']} get more, {total['get_less']} less")
    for side, name in (("ours", report["version"]), ("theirs", against)):
        reasons = report["left_out"][side]
        if reasons:
            told = ", ".join(f"{Exclusion(why).label} {n}" for why, n in sorted(reasons.items()))
            lines.append(f"left out under {name}: {told}")
    for name, percent in report["as_if_not_held_out"].items():
        lines.append(f"as if nobody were held out under {name}, which does so with {percent} %")
    for row in report["differences"]:
        said = format_money(row["difference"], row["currency"], "en")
        lines.append(f"customer {row['customer']}: {said}")
    return "\n".join(lines)


def _beside(row: dict[str, Any], against: str | None, currency: str) -> str:
    def told(side: dict[str, int]) -> str:
        amount = format_money(side["amount_minor"], currency, "en")
        return f"{amount} in {side['awards']} awards to {side['customers']} customers"

    ours = told(row["ours"])
    return f"{ours}; instead of {told(row['theirs'])}" if against else ours
