"""The working screens of money."""

from compensation.admin import awards, batches, ledger, switches

__all__ = ["awards", "batches", "ledger", "switches"]
