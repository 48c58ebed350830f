"""The working screens of money."""

from compensation.admin import (
    awards,
    batches,
    findings,
    ledger,
    policies,
    reconciliation,
    reversals,
    switches,
)

__all__ = [
    "awards",
    "batches",
    "findings",
    "ledger",
    "policies",
    "reconciliation",
    "reversals",
    "switches",
]
