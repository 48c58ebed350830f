"""Sending failed awards again, once what Stripe refused them for has been seen to."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.states import MoveError, history, move
from compensation.authority import person_with
from compensation.batches import customers_awarded_since, locked, wait_for_other_decisions
from compensation.budgets import check_fits, fits
from compensation.gestures import check_caps_of
from compensation.issuing.deciding import GIVEN_UP
from compensation.issuing.waking import wake_issuing
from compensation.models import Award, Batch
from compensation.models.award import AwardState
from compensation.models.batch import BatchState

_OPEN = (BatchState.ISSUING, BatchState.PAUSED, BatchState.ISSUED)


def retry_award(award: Award, *, by: User) -> Award:
    """Send one failed award again, to where its approval said.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: it has not failed, or the same was awarded elsewhere meanwhile.
    """
    person = person_with(by, "compensation.retry_award")
    with transaction.atomic():
        wait_for_other_decisions()
        if award.batch is not None:
            _reopen(award.batch, Award.objects.filter(pk=award.pk), by=person)
        else:
            _check_budgets(Award.objects.filter(pk=award.pk), at=award.created_at)
            _check_caps(Award.objects.filter(pk=award.pk))
        if not _approve_again(Award.objects.filter(pk=award.pk), by=person):
            raise MoveError("Only a failed award can be sent again: reload and look again.")
        transaction.on_commit(wake_issuing, robust=True)
    award.refresh_from_db()
    return award


def retry_failed(batch: Batch, *, by: User) -> int:
    """Send all failed awards of `batch` again; how many they are.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: none has failed, or one was awarded elsewhere meanwhile.
    """
    person = person_with(by, "compensation.retry_award")
    with transaction.atomic():
        wait_for_other_decisions()
        awards = Award.objects.filter(batch=batch, state=AwardState.FAILED)
        # what was given up may be booked all the same: each of these is looked at on its own
        awards = awards.exclude(error_code=GIVEN_UP)
        row = _reopen(batch, awards, by=person)
        count = _approve_again(awards, by=person)
        if not count:
            raise MoveError("No award of this batch has failed.")
        transaction.on_commit(wake_issuing, robust=True)
    batch.__dict__.update(row.__dict__)
    return count


def _reopen(batch: Batch, awards: QuerySet[Award], *, by: User) -> Batch:
    """A failed award did not count towards caps; what was given since did not know of it."""
    row = locked(batch)
    if row.state not in _OPEN:
        raise MoveError(f"This batch is {row.state}: none of its awards was sent.")
    _check_budgets(awards, at=row.submitted_at)
    if row.version is None:
        _check_caps(awards)
    elif row.version.is_capped and customers_awarded_since(row, awards):
        raise MoveError("These customers got other awards since: the caps may be exceeded.")
    if row.state == BatchState.ISSUED:
        move(row, BatchState.ISSUING, by=by, reason="retry", issued_at=None)
    return row


def _check_budgets(awards: QuerySet[Award], *, at: datetime | None) -> None:
    """What failed did not count towards the month's budget either."""
    failed = awards.filter(state=AwardState.FAILED, benefit=Award.Benefit.CREDIT).order_by()
    wanted = dict(failed.values_list("currency").annotate(total=Sum("amount_minor")))
    try:
        check_fits(fits(wanted, at=at or timezone.now()), "awards")
    except ValidationError as error:
        raise MoveError(" ".join(error.messages)) from None


def _check_caps(goodwill: QuerySet[Award]) -> None:
    """Goodwill is bounded by the caps as they are now."""
    failed = goodwill.filter(state=AwardState.FAILED)
    for award in failed.select_related("customer", "subscription", "incident"):
        try:
            check_caps_of(award)
        except ValidationError as error:
            raise MoveError(" ".join(error.messages)) from None


def _approve_again(awards: QuerySet[Award], *, by: User) -> int:
    """Stripe keeps its refusal under the old key, and booked nothing: the next send has a new one.

    `attempt` stays, so that the new key counts on.
    """
    failed = awards.filter(state=AwardState.FAILED)
    try:
        with transaction.atomic(), history(by=by, reason="retry"):
            return failed.update(
                state=AwardState.APPROVED,
                idempotency_key="",
                parameters_hash="",
                first_sent_at=None,
                error_code="",
                error_message="",
            )
    except IntegrityError:
        raise MoveError("The same was awarded in another batch meanwhile.") from None
