"""Approving and rejecting reversals: a second person signs what a first one asked for."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.accounts.second_factor import has_second_factor
from backoffice.states import MoveError, history, move
from compensation.authority import person_with
from compensation.issuing.waking import wake_issuing
from compensation.models import ReversalApproval, ReversalRequest
from compensation.models.reversal import RequestState, ReversalState
from compensation.reversing.asking import drop, locked_request
from compensation.reversing.digests import request_digest

APPROVE = "compensation.approve_reversal"
TAMPERED = "The reversals are not those that were asked for: reject this and find out why."


def approve_request(
    request: ReversalRequest, *, by: User, digest: str, comment: str = ""
) -> ReversalApproval:
    """Sign `digest`, which is what `by` saw; with the last signature needed it is taken back.

    Raises:
        PermissionDenied: `by` lacks the permission or the second factor, or asked for it.
        MoveError: it does not wait, is not what was asked for, or `by` has signed already.
    """
    person = _approver(by)
    with transaction.atomic():
        row = locked_request(request)
        _check_waiting(row, person)
        if digest != row.digest or request_digest(row) != row.digest:
            raise MoveError(TAMPERED)
        with history(by=person, reason=comment):
            approval = ReversalApproval.objects.create(
                request=row, user=person, digest=digest, comment=comment
            )
        if is_as_signed(row):
            move(row, RequestState.APPROVED, by=person, reason=comment, approved_at=timezone.now())
            row.reversals.filter(state=ReversalState.ASKED).update(state=ReversalState.APPROVED)
            # Rows are the queue: should the broker be away, the beat finds them.
            transaction.on_commit(wake_issuing, robust=True)
    request.__dict__.update(row.__dict__)
    return approval


def reject_request(request: ReversalRequest, *, by: User, reason: str) -> ReversalRequest:
    """Refuse it for good: the customers keep what they have.

    Raises:
        PermissionDenied, MoveError, ValidationError (no reason).
    """
    person = _approver(by)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is not taken back.")})
    with transaction.atomic():
        row = locked_request(request)
        drop(row, RequestState.REJECTED, by=person, answer=reason)
    request.__dict__.update(row.__dict__)
    return request


def refusal(request: ReversalRequest, by: User) -> str:
    """Why `by` may not approve `request` as it is now, in words for them; empty if they may."""
    try:
        _check_waiting(request, _approver(by))
    except (PermissionDenied, MoveError) as error:
        return str(error)
    return ""


def is_as_signed(request: ReversalRequest) -> bool:
    """Whether it is, to the bit, what enough people still with us have signed."""
    digest = request_digest(request)
    signed = request.approvals.filter(user__is_active=True).values_list("digest", flat=True)
    return (
        digest == request.digest
        and len(signed) >= request.approvals_needed
        and all(each == digest for each in signed)
    )


def _approver(by: User) -> User:
    person = person_with(by, APPROVE)
    if not has_second_factor(person):
        raise PermissionDenied(_("Approving money takes a second factor: set one up first."))
    return person


def _check_waiting(request: ReversalRequest, person: User) -> None:
    if request.state != RequestState.ASKED:
        raise MoveError(f"This reversal is {request.state}: it does not wait for approval.")
    if person.pk == request.asked_by_id:
        raise PermissionDenied(_("You asked for this: another person approves it."))
    if request.approvals.filter(user=person).exists():
        raise MoveError("You have approved this already: another person must, too.")
