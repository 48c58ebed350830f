"""The working screens of money."""

from compensation.admin import (
    awards,
    backtests,
    batches,
    claims,
    findings,
    ledger,
    policies,
    reconciliation,
    reversals,
    switches,
)

__all__ = [
    "awards",
    "backtests",
    "batches",
    "claims",
    "findings",
    "ledger",
    "policies",
    "reconciliation",
    "reversals",
    "switches",
]
