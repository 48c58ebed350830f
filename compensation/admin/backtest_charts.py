"""Cost by month as a chart, for the theme's Chart.js; the table below it has the same figures."""

import json
from typing import Any

from backoffice.display import CHART_TEXT
from backoffice.money import to_major
from compensation.models import Backtest

_LOOKS = {
    "responsive": True,
    "maintainAspectRatio": False,
    "datasets": {"bar": {"maxBarThickness": 22, "borderRadius": 2}},
    "plugins": {
        "legend": {
            "display": True, "position": "top", "align": "start", "labels": {"color": CHART_TEXT}
        }
    },
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {"color": CHART_TEXT}},
        "y": {"beginAtZero": True, "border": {"display": False}, "ticks": {"color": CHART_TEXT}},
    },
}  # fmt: skip
_OURS, _THEIRS = "var(--color-primary-500)", "var(--color-base-400)"


def charts_of(result: dict[str, Any], run: Backtest) -> list[dict[str, Any]]:
    """One for each currency, in its major unit."""
    return [_chart(total["currency"], result, run) for total in result["totals"]]


def _chart(currency: str, result: dict[str, Any], run: Backtest) -> dict[str, Any]:
    rows = [row for row in result["months"] if row["currency"] == currency]
    sides = [("ours", str(run.version), _OURS)]
    if run.against is not None:
        sides.append(("theirs", str(run.against), _THEIRS))
    data = {
        "labels": [row["month"] for row in rows],
        "datasets": [
            {
                "label": label,
                "data": [float(to_major(row[side]["amount_minor"], currency)) for row in rows],
                "backgroundColor": color,
            }
            for side, label, color in sides
        ],
    }
    return {
        "currency": currency,
        "rows": [(row, row["ours"]["amount_minor"] - row["theirs"]["amount_minor"])
                 for row in rows],
        "data": json.dumps(data),
        "looks": json.dumps(_LOOKS),
    }  # fmt: skip
