"""The customer's account pages, but for their requests."""

from compensation.views.account import (
    end_portal_visit,
    portal_credits,
    portal_home,
    portal_incident,
)
from compensation.views.claims import portal_claim, portal_claim_new, portal_claim_person

__all__ = [
    "end_portal_visit",
    "portal_claim",
    "portal_claim_new",
    "portal_claim_person",
    "portal_credits",
    "portal_home",
    "portal_incident",
]
