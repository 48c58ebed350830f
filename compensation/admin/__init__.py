"""The working screens of money."""

from compensation.admin import awards, batches, ledger, policies, switches

__all__ = ["awards", "batches", "ledger", "policies", "switches"]
