"""Claims that a person looks at: handed over, and settled."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import move
from compensation.authority import person_with
from compensation.models import Claim
from compensation.models.claim import ClaimState, Outcome
from compensation.signals import claim_needs_person

SETTLE = "compensation.settle_claim"


@transaction.atomic
def ask_person(claim: Claim, *, reason: str = "customer disagrees") -> Claim:
    """The customer does not agree with the answer: a person looks. One who does already, goes on.

    The outcome stays what the data said until a person says otherwise.
    """
    row = Claim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
    if row.state == ClaimState.ANSWERED:
        move(row, ClaimState.WITH_PERSON, by=None, reason=reason, decided_at=None)
        claim_needs_person.send(sender=Claim, claim=row)
    claim.refresh_from_db()
    return claim


def note_ticket(claim: Claim, number: str) -> None:
    """Where a person looks at it: the number of the ticket."""
    Claim.objects.filter(pk=claim.pk).update(ticket_number=number)
    claim.ticket_number = number


@transaction.atomic
def settle_claim(claim: Claim, *, by: User, is_accepted: bool, note: str) -> Claim:
    """A person says what became of it; what they give for it they give elsewhere.

    Raises:
        PermissionDenied: `by` may not.
        ValidationError: without a reason.
        MoveError: no person is asked, or it is settled.
    """
    person = person_with(by, SETTLE)
    if not note.strip():
        raise ValidationError({"note": _("Say why, and what they get: the next one reads it.")})
    row = Claim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
    move(
        row,
        ClaimState.SETTLED,
        by=person,
        reason="settled",
        outcome=Outcome.ACCEPTED if is_accepted else Outcome.DECLINED,
        decided_by=person,
        decided_at=timezone.now(),
        note=note.strip(),
    )
    claim.refresh_from_db()
    return claim
