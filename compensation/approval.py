"""Approval: a second person signs the digest of what a first one submitted."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.accounts.second_factor import has_second_factor
from backoffice.states import MoveError, history, move
from compensation.authority import person_with
from compensation.batches import (
    customers_awarded_since,
    locked,
    proposed,
    wait_for_other_decisions,
)
from compensation.budgets import check_fits, fits_of_batch
from compensation.digests import DESTINATION, batch_digest
from compensation.gestures import check_caps_of
from compensation.issuing.waking import wake_issuing
from compensation.models import Approval, Award, Batch
from compensation.models.award import BINDS, AwardState
from compensation.models.batch import BatchState


def approve_batch(batch: Batch, *, by: User, digest: str, comment: str = "") -> Approval:
    """Sign `digest`, which is what `by` saw; the last signature needed approves the batch.

    Then its awards bind us, and issuing starts once the transaction has committed.

    Raises:
        PermissionDenied: `by` lacks the permission or the second factor, or made or submitted the
            batch.
        MoveError: the batch is not waiting, its awards are not what was signed or submitted, `by`
            has signed already, or one of its awards was approved in another batch.
    """
    person = _approver(by)
    with transaction.atomic():
        wait_for_other_decisions()
        row = locked(batch)
        _check_waiting(row, person)
        _check_digest(row, digest)
        with history(by=person, reason=comment):
            approval = Approval.objects.create(
                batch=row, user=person, digest=digest, comment=comment
            )
        if _signatures(row) >= row.approvals_needed:
            _approve(row, by=person, comment=comment)
    batch.__dict__.update(row.__dict__)
    return approval


def reject_batch(batch: Batch, *, by: User, reason: str) -> Batch:
    """Refuse a submitted batch for good. Nothing of it was promised to anybody.

    Raises:
        PermissionDenied, MoveError, ValidationError (no reason).
    """
    person = _approver(by)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why the batch is rejected.")})
    with transaction.atomic():
        row = locked(batch)
        move(row, BatchState.REJECTED, by=person, reason=reason)
    batch.__dict__.update(row.__dict__)
    return batch


def refusal(batch: Batch, by: User) -> str:
    """Why `by` may not approve `batch` as it is now, in words for them; empty if they may."""
    try:
        person = _approver(by)
        _check_waiting(batch, person)
    except (PermissionDenied, MoveError) as error:
        return str(error)
    return ""


def _approver(by: User) -> User:
    person = person_with(by, "compensation.approve_batch")
    if not has_second_factor(person):
        raise PermissionDenied(_("Approving money takes a second factor: set one up first."))
    return person


def _check_waiting(batch: Batch, person: User) -> None:
    if batch.state != BatchState.SUBMITTED:
        raise MoveError(f"This batch is {batch.state}: it does not wait for approval.")
    if person.pk in {batch.created_by_id, batch.submitted_by_id}:
        raise PermissionDenied(_("You made or submitted this batch: another person approves it."))
    if batch.approvals.filter(user=person, withdrawn_at=None).exists():
        raise MoveError("You have approved this batch already: another person must, too.")


def _check_digest(batch: Batch, digest: str) -> None:
    if digest != batch.digest:
        raise MoveError("The awards have changed since you looked: reload and look again.")
    if batch_digest(batch) != batch.digest:
        raise MoveError(
            "The awards are not those that were submitted: reject this batch and find out why."
        )


def _signatures(batch: Batch) -> int:
    """How many people still with us have signed the batch as it is."""
    return batch.approvals.filter(
        withdrawn_at=None, digest=batch.digest, user__is_active=True
    ).count()


def _approve(batch: Batch, *, by: User, comment: str) -> None:
    """Make the awards binding, freezing where each is sent, and start issuing."""
    if batch.version is None:
        _check_goodwill(batch)
    elif batch.version.is_capped:
        customers = customers_awarded_since(batch, proposed(batch), unaware_only=True)
        if customers:
            raise MoveError(
                f"{customers} of these customers got another award since the pricing, so the caps "
                "may be exceeded: reject this batch and price a new one."
            )
    _check_budgets(batch)
    try:
        with transaction.atomic():
            _bind_awards(batch)
    except IntegrityError:
        raise MoveError(_clash(batch)) from None
    move(batch, BatchState.APPROVED, by=by, reason=comment, approved_at=timezone.now())
    # Rows are the queue: should the broker be away, the beat finds the batch.
    transaction.on_commit(wake_issuing, robust=True)


def _check_goodwill(batch: Batch) -> None:
    """The caps may have become narrower since it was asked for."""
    for award in proposed(batch).select_related("customer", "subscription", "incident"):
        try:
            check_caps_of(award)
        except ValidationError as error:
            raise MoveError(" ".join([*error.messages, "Reject this batch."])) from None


def _check_budgets(batch: Batch) -> None:
    """They may have become smaller since it was submitted."""
    try:
        check_fits(fits_of_batch(batch, at=batch.submitted_at or timezone.now()), "awards")
    except ValidationError as error:
        raise MoveError(" ".join(error.messages)) from None


def _bind_awards(batch: Batch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE compensation_award target
            SET state = 'approved', destination = {DESTINATION}
            FROM compensation_award award
            JOIN customers_customer customer ON customer.id = award.customer_id
            LEFT JOIN customers_subscription subscription
                ON subscription.id = award.subscription_id
            WHERE target.id = award.id AND award.batch_id = %s AND award.state = 'proposed'
            """,  # noqa: S608 - no values in it
            [batch.pk],
        )


def _clash(batch: Batch) -> str:
    """Which other batch has already awarded the same incident to the same subscriptions."""
    ours = Award.objects.filter(batch=batch, state=AwardState.PROPOSED)
    theirs = Award.objects.filter(
        BINDS, incident=batch.incident_id, source=Award.Source.BATCH
    ).exclude(batch=batch)
    clashing = theirs.filter(subscription__in=ours.values("subscription")) | theirs.filter(
        subscription=None, customer__in=ours.filter(subscription=None).values("customer")
    )
    numbers = sorted(set(clashing.order_by().values_list("batch__number", flat=True)))
    return (
        f"{clashing.count()} of these awards were already approved in batch {', '.join(numbers)}: "
        "reject this batch and price a new one."
    )
