"""Leaving single awards out of a batch, and taking them back in."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError, history, move
from compensation.authority import person_with
from compensation.batches import (
    approvals_needed,
    customers_awarded_since,
    locked,
    wait_for_other_decisions,
)
from compensation.budgets import check_fits, fits_of_batch
from compensation.digests import batch_digest
from compensation.models import Award, Batch
from compensation.models.award import AwardState, Exclusion
from compensation.models.batch import BatchState

HELD_OUT_STAYS = (
    "This customer is in the hold-out group, chosen by a hash and not by hand: taking single ones "
    "back in would spoil what is measured. Give goodwill from a ticket, saying why, or put a "
    "version of the policy into force that holds nobody out, and price the batch again."
)


def exclude_award(award: Award, *, by: User, reason: str) -> Award:
    """Leave a proposed award out of its priced or submitted batch.

    In a submitted batch this changes the digest, so signatures given so far are withdrawn.

    Raises:
        PermissionDenied: `by` may not leave awards out.
        ValidationError: no reason, or it was the only award of a submitted batch.
        MoveError: the batch is past that, or the award is not proposed.
    """
    person = person_with(by, "compensation.exclude_award")
    if not reason.strip():
        raise ValidationError({"reason": _("Say why this award is left out.")})
    with transaction.atomic():
        batch, row = _open(award)
        move(
            row,
            AwardState.EXCLUDED,
            by=person,
            reason=reason,
            exclusion=Exclusion.BY_HAND,
            exclusion_reason=reason,
            excluded_by=person,
            excluded_at=timezone.now(),
        )
        _changed(batch, by=person, reason=reason)
    award.__dict__.update(row.__dict__)
    return award


def include_award(award: Award, *, by: User) -> Award:
    """Take back in an award that a person left out.

    In a submitted batch only what was left out since: more than was submitted is never paid.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: pricing left it out, it is held out to measure the effect, the batch is past
            that, it was submitted without it, or what was given meanwhile leaves no room for it.
    """
    person = person_with(by, "compensation.exclude_award")
    with transaction.atomic():
        wait_for_other_decisions()
        batch, row = _open(award)
        if row.exclusion == Exclusion.HELD_OUT:
            raise MoveError(HELD_OUT_STAYS)
        if row.exclusion != Exclusion.BY_HAND:
            raise MoveError("This award was not left out by a person: price the batch again.")
        was_submitted = (
            row.excluded_at and batch.submitted_at and row.excluded_at >= batch.submitted_at
        )
        if batch.submitted_at and not was_submitted:
            raise MoveError("The batch was submitted without this award.")
        left_out_at = row.excluded_at
        move(
            row,
            AwardState.PROPOSED,
            by=person,
            exclusion="",
            exclusion_reason="",
            excluded_by=None,
            excluded_at=None,
            included_at=timezone.now(),
        )
        if batch.submitted_at:
            _check_room(batch, row, since=left_out_at)
        _changed(batch, by=person, reason="")
    award.__dict__.update(row.__dict__)
    return award


def _check_room(batch: Batch, award: Award, *, since: datetime | None) -> None:
    """While it was left out it counted towards nothing, so others may have got what it needs."""
    only = Award.objects.filter(pk=award.pk)
    is_capped = batch.version is not None and batch.version.is_capped
    if is_capped and customers_awarded_since(batch, only, since=since):
        raise MoveError(
            "This customer got another award since this one was left out, so the caps may be "
            "exceeded: leave it out, or reject the batch and price a new one."
        )
    try:
        check_fits(fits_of_batch(batch, at=batch.submitted_at or timezone.now()), "awards")
    except ValidationError as error:
        raise MoveError(" ".join(error.messages)) from None


def _open(award: Award) -> tuple[Batch, Award]:
    """Batch and award, locked in this order, if the batch's awards may still change."""
    if award.batch is None:
        raise MoveError("This award belongs to no batch.")
    batch = locked(award.batch)
    if batch.state not in {BatchState.PRICED, BatchState.SUBMITTED}:
        raise MoveError(f"This batch is {batch.state}: its awards are settled.")
    return batch, Award.objects.select_for_update(of=("self",)).get(pk=award.pk)


def _changed(batch: Batch, *, by: User, reason: str) -> None:
    """Forget the cached figures; freeze a submitted batch anew and withdraw its signatures."""
    changes: dict[str, object] = {"summary": {}}
    if batch.state == BatchState.SUBMITTED:
        if not batch.awards.filter(state=AwardState.PROPOSED).exists():
            raise ValidationError({"award": _("It is the only one: reject the batch instead.")})
        changes |= {"digest": batch_digest(batch), "approvals_needed": approvals_needed(batch)}
    with history(by=by, reason=reason):
        Batch.objects.filter(pk=batch.pk).update(**changes)
        batch.approvals.filter(withdrawn_at=None).update(withdrawn_at=timezone.now())
