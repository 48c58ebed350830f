"""News that travels upward."""

from django.dispatch import Signal

# Sent with `claim` inside the transaction that hands it to a person: who takes it in must hold,
# or the claim is not stored. Where there is a ticket, the receiver calls `claims.note_ticket`.
claim_needs_person = Signal()
