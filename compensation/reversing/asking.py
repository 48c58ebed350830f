"""Asking for an award or a batch to be taken back: what is left of it now is what may be taken."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError, history, move
from compensation.authority import person_with
from compensation.batches import locked, wait_for_other_decisions
from compensation.issuing.waking import wake_issuing
from compensation.models import ApprovalThreshold, Award, Batch, Reversal, ReversalRequest
from compensation.models.award import AwardState
from compensation.models.batch import BatchState
from compensation.models.reversal import OPEN_REVERSAL, Cause, RequestState, ReversalState
from compensation.reversing.digests import request_digest

ASK = "compensation.ask_reversal"
# Nothing of them is sent any more, or nothing for the moment.
_AT_REST = (BatchState.PAUSED, BatchState.ISSUED)
# Issued awards that are not on their way back already, with what our book has left of them.
CANDIDATES = f"""
    FROM compensation_award award
    LEFT JOIN LATERAL (
        SELECT sum(entry.amount_minor) AS left_minor FROM compensation_ledgerentry entry
        WHERE entry.award_id = award.id
    ) booked ON award.benefit = 'credit'
    WHERE {{which}} AND award.state = 'issued'
        AND NOT EXISTS (
            SELECT FROM compensation_reversal other
            WHERE other.award_id = award.id
                AND other.state IN ({", ".join(f"'{state.value}'" for state in OPEN_REVERSAL)})
        )
"""  # noqa: S608 - no values in it
# Benefits that are no money are taken back as far as time has not used them up: that is seen when
# it is done.
_TAKE_DOWN = f"""
    INSERT INTO compensation_reversal (
        request_id, award_id, customer_id, state, limit_minor, amount_minor, currency,
        overdrawn_minor, idempotency_key, parameters_hash, attempt, stripe_id, error_code,
        error_message
    )
    SELECT %s, award.id, award.customer_id, 'asked', coalesce(booked.left_minor, 0), 0,
        CASE WHEN award.benefit = 'credit' THEN award.currency ELSE '' END,
        0, '', '', 0, '', '', ''
    {CANDIDATES}
        AND (award.benefit <> 'credit' OR booked.left_minor > 0)
    ORDER BY award.id
"""


def ask_for_award(
    award: Award, *, by: User | None, cause: str, reason: str, key: str = ""
) -> ReversalRequest:
    """Ask for what is left of one issued award.

    By a person, or by the API key named `key`; either way other people approve it.

    Raises:
        PermissionDenied: `by` may not ask.
        ValidationError: no reason, or no cause that a customer can be told.
        MoveError: it is not issued, nothing is left of it, or it is on its way back already.
    """
    person = _asker(by, key)
    _check_words(cause, reason)
    with transaction.atomic():
        wait_for_other_decisions()
        row = Award.objects.select_for_update(of=("self",)).get(pk=award.pk)
        if row.state != AwardState.ISSUED:
            raise MoveError(f"This award is {row.state}: only an issued one can be taken back.")
        if row.reversals.filter(state__in=OPEN_REVERSAL).exists():
            raise MoveError("Somebody has asked for this award already.")
        request = ReversalRequest(award=row, cause=cause, reason=reason.strip())
        return _ask(request, person, key, "award.id = %s")


def ask_for_batch(
    batch: Batch, *, by: User | None, cause: str, reason: str, key: str = ""
) -> ReversalRequest:
    """Ask for what is left of all issued awards of a batch that is issued or paused.

    Awards that somebody asked for already are left to that request.

    Raises:
        PermissionDenied, ValidationError: as `ask_for_award`.
        MoveError: it is still being issued, nothing is left of it, or a request is open.
    """
    person = _asker(by, key)
    _check_words(cause, reason)
    with transaction.atomic():
        wait_for_other_decisions()
        row = locked(batch)
        if row.state not in _AT_REST:
            raise MoveError(
                f"This batch is {row.state}: only an issued or paused one can be taken back."
            )
        request = ReversalRequest(batch=row, cause=cause, reason=reason.strip())
        return _ask(request, person, key, "award.batch_id = %s")


def ask_for_extra(
    award: Award, *, by: User, reason: str, transaction_id: str, amount_minor: int
) -> ReversalRequest:
    """Ask for what Stripe has too much for an award: a second booking, or the excess of the first.

    `transaction_id` is that booking at Stripe, `amount_minor` what is too much, in minor units of
    the award's currency. Award and ledger stay as they are.

    Raises:
        PermissionDenied: `by` may not ask.
        ValidationError: no reason.
        MoveError: the award was not issued, or it or this booking is on its way back already.
    """
    person = person_with(by, ASK)
    _check_words(Cause.TWICE, reason)
    with transaction.atomic():
        wait_for_other_decisions()
        row = Award.objects.select_for_update(of=("self",)).get(pk=award.pk)
        if row.state not in (AwardState.ISSUED, AwardState.REVERSED) or amount_minor <= 0:
            raise MoveError(f"This award is {row.state}: nothing of it is too much.")
        done = row.reversals.filter(corrects=transaction_id)
        if done.exclude(state__in=(ReversalState.DROPPED, ReversalState.NOTHING)).exists():
            raise MoveError("Somebody has asked for this already.")
        request = ReversalRequest(award=row, cause=Cause.TWICE, reason=reason.strip())
        extra = Reversal(
            award=row,
            customer_id=row.customer_id,
            limit_minor=amount_minor,
            currency=row.currency,
            corrects=transaction_id,
        )
        return _ask(request, person, "", extra)


def withdraw_request(request: ReversalRequest, *, by: User, reason: str = "") -> ReversalRequest:
    """Give up what was asked for, before it is approved. Nothing was taken.

    Raises:
        PermissionDenied, MoveError.
    """
    person = person_with(by, ASK)
    with transaction.atomic():
        row = locked_request(request)
        drop(row, RequestState.WITHDRAWN, by=person, answer=reason)
    request.__dict__.update(row.__dict__)
    return request


def retry_reversals(request: ReversalRequest, *, by: User) -> int:
    """Send the failed ones of an approved request again, once the reason is seen to; how many.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: none has failed, or somebody asked anew meanwhile.
    """
    person = person_with(by, "compensation.retry_award")
    with transaction.atomic():
        row = locked_request(request)
        failed = row.reversals.filter(state=ReversalState.FAILED)
        if not failed.exists():
            raise MoveError("None of these has failed.")
        try:
            with transaction.atomic():
                count = send_anew(failed)
        except IntegrityError:
            raise MoveError("Somebody asked for the same again meanwhile.") from None
        if row.state == RequestState.DONE:
            move(row, RequestState.APPROVED, by=person, reason="retry", finished_at=None)
        transaction.on_commit(wake_issuing, robust=True)
    request.__dict__.update(row.__dict__)
    return count


def locked_request(request: ReversalRequest) -> ReversalRequest:
    """As it is now, locked until the transaction ends. Lock it before its reversals."""
    return ReversalRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)


def drop(row: ReversalRequest, to: str, *, by: User, answer: str) -> None:
    """Reject or withdraw: the awards stay with their customers."""
    move(row, to, by=by, reason=answer, answer=answer, finished_at=timezone.now())
    row.reversals.filter(state=ReversalState.ASKED).update(state=ReversalState.DROPPED)


def send_anew(reversals: QuerySet[Reversal]) -> int:
    """Approved again, to go out under a new key: nothing was booked under the old one."""
    return reversals.update(
        state=ReversalState.APPROVED,
        idempotency_key="",
        parameters_hash="",
        first_sent_at=None,
        amount_minor=0,
        seen_minor=None,
        error_code="",
        error_message="",
    )


def _asker(by: User | None, key: str) -> User | None:
    if by is None and not key:
        raise PermissionDenied(_("A person or an API key asks for a reversal."))
    return person_with(by, ASK) if by is not None else None


def _check_words(cause: str, reason: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is to be taken back.")})
    if cause not in Cause.values:
        raise ValidationError({"cause": _("Choose what the customer reads.")})


def _ask(
    request: ReversalRequest, person: User | None, key: str, what: Reversal | str
) -> ReversalRequest:
    """For one extra booking, or for all that a condition on the request's award or batch finds."""
    request.asked_by, request.asked_by_key = person, key
    try:
        with transaction.atomic(), history(by=person, reason=request.reason, key=key):
            request.save(force_insert=True)
            if not _take_down(request, what):
                raise MoveError(_("Nothing is left of it: all was used, or is on its way back."))
            request.digest = request_digest(request)
            request.approvals_needed = _approvals_needed(request)
            request.save(update_fields=["digest", "approvals_needed"])
    except IntegrityError:
        raise MoveError("Somebody has asked for this already: reload and look again.") from None
    return request


def _take_down(request: ReversalRequest, what: Reversal | str) -> int:
    """Write the request's reversals; how many they are."""
    if isinstance(what, Reversal):
        what.request = request
        what.save(force_insert=True)
        return 1
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE_DOWN.format(which=what), [request.pk, request.award_id or request.batch_id]
        )
        return int(cursor.rowcount)


def _approvals_needed(request: ReversalRequest) -> int:
    """2 where the credits of a currency add up to more than its threshold, as for a batch."""
    sums = (
        request.reversals.exclude(currency="")
        .order_by()
        .values_list("currency")
        .annotate(total=Sum("limit_minor"))
    )
    thresholds = dict(ApprovalThreshold.objects.values_list("currency", "amount_minor"))
    above = any(currency in thresholds and total > thresholds[currency] for currency, total in sums)
    return 2 if above else 1
