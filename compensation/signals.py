"""News of this app, for those above it."""

from django.dispatch import Signal

# An invoice used credit of ours and the ledger does not know: `customer` (our id), `account`
# (Stripe's customer). Whoever books uses should look at it again.
use_unbooked = Signal()
