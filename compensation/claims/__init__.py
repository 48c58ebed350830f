"""Claims of customers: filed, answered at once where the data decide, else handed to a person."""

from compensation.claims.filing import NewClaim, file_claim
from compensation.claims.settling import ask_person, note_ticket, settle_claim
from compensation.claims.terms import takes_claims
from compensation.claims.wording import answer_to

__all__ = [
    "NewClaim",
    "answer_to",
    "ask_person",
    "file_claim",
    "note_ticket",
    "settle_claim",
    "takes_claims",
]
