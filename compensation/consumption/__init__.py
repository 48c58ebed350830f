"""Consumption: what invoices took of our credits, read at Stripe and booked in the ledger.

Stripe takes the balance by itself when an invoice is finalised and announces it by no event of its
own, so a customer's balance transactions are read (`reading`) whenever something happened to them,
and now and then anyway (`open_credit`). Which award each use belongs to is worked out in `queue`,
and written in `booking`.
"""

from compensation.consumption.booking import UsesReport, book_uses
from compensation.consumption.open_credit import due_customers
from compensation.consumption.reading import Pacing, SilentError

__all__ = ["Pacing", "SilentError", "UsesReport", "book_uses", "due_customers"]
