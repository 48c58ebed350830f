"""The working screens of money."""

from compensation.admin import (
    awards,
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
    "batches",
    "claims",
    "findings",
    "ledger",
    "policies",
    "reconciliation",
    "reversals",
    "switches",
]
