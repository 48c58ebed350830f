"""What people can do about a finding.

Each asks who it is, keeps who and why in the history, and leaves the finding to the next run: it
closes by itself once the difference is gone.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError, history, move
from compensation.authority import person_with
from compensation.batches import locked, wait_for_other_decisions
from compensation.issuing.waking import wake_issuing
from compensation.models import Award, Finding, ReconciliationRun, ReversalRequest
from compensation.models.award import AwardState
from compensation.models.batch import BatchState
from compensation.models.reconciliation import READ_AGAIN
from compensation.models.reconciliation import FindingKind as Kind
from compensation.reconciliation.runs import open_run
from compensation.reconciliation.writing import LIVING
from compensation.reversing import ask_for_extra
from compensation.reversing.asking import ASK

PERMISSION = "compensation.settle_finding"
TAKE_BACK = ASK
MISSING = "missing_at_stripe"
_OPEN_BATCH = (BatchState.ISSUING, BatchState.PAUSED, BatchState.ISSUED)


def accept(finding: Finding, *, by: User, reason: str) -> Finding:
    """Leave it as it is, knowingly: it is not counted as open any more.

    It stays accepted in later runs, as long as its figures stay the same.

    Raises:
        PermissionDenied: `by` may not.
        ValidationError: no reason.
        MoveError: it is not open.
    """
    person = person_with(by, PERMISSION)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it may stay as it is.")})
    move(
        finding,
        Finding.State.ACKNOWLEDGED,
        by=person,
        reason=reason,
        settled_reason=reason.strip(),
        settled_by=person,
        settled_at=timezone.now(),
    )
    return finding


def reopen(finding: Finding, *, by: User, reason: str = "") -> Finding:
    """Take an acceptance back.

    Raises:
        PermissionDenied, MoveError (it is not accepted).
    """
    person = person_with(by, PERMISSION)
    if finding.state != Finding.State.ACKNOWLEDGED:
        raise MoveError("Only what was accepted can be opened again.")
    move(finding, Finding.State.OPEN, by=person, reason=reason, settled_by=None, settled_at=None)
    return finding


def issue_again(finding: Finding, *, by: User, reason: str) -> Award:
    """Have the issuer look a missing credit up, and send it under a new key if it is not there.

    The award becomes unknown, then goes the way of every award of unknown outcome: as long as
    Stripe keeps its key, the same key and bytes are sent, which books nothing twice; later
    Stripe's list is read, and only what is provably absent is sent again. The ledger keeps its
    entry: we owe it all the time.

    Raises:
        PermissionDenied: `by` may not.
        ValidationError: no reason.
        MoveError: the finding or the award is not like that any more, or its batch is closed.
    """
    person = person_with(by, PERMISSION)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is issued again.")})
    if not can_issue_again(finding):
        raise MoveError("Only a credit that is missing at Stripe can be issued again.")
    with transaction.atomic():
        wait_for_other_decisions()
        award = Award.objects.select_for_update(of=("self",)).get(pk=finding.award_id or 0)
        if award.state != AwardState.ISSUED:
            raise MoveError(f"Its award is {award.state} by now: compare again.")
        _reopen_batch(award, by=person)
        words = f"Finding {finding.pk}: {reason.strip()}"
        move(
            award, AwardState.UNKNOWN, by=person, reason=words,
            error_code=MISSING, error_message=words,
        )  # fmt: skip
        move(award, AwardState.SENDING, by=person, reason=words)
        _note_remedy(finding, "issued again", by=person, reason=reason)
        transaction.on_commit(wake_issuing, robust=True)
    return award


def can_issue_again(finding: Finding) -> bool:
    """Whether it is a credit of ours that Stripe lacks (and not a reversal)."""
    is_credit = finding.identity == f"{Kind.MISSING}:award {finding.award_id}"
    return finding.state in LIVING and is_credit


def take_back(finding: Finding, *, by: User, reason: str) -> ReversalRequest:
    """Propose to take back what Stripe has too much; another person approves it.

    Raises:
        PermissionDenied: `by` may not ask for reversals.
        ValidationError: no reason.
        MoveError: nothing is too much, or somebody asked for it already.
    """
    person = person_with(by, ASK)
    award = finding.award
    if award is None or not can_take_back(finding):
        raise MoveError("Stripe has nothing too much here: compare again.")
    with transaction.atomic():
        request = ask_for_extra(
            award,
            by=person,
            reason=f"Finding {finding.pk}: {reason.strip()}" if reason.strip() else "",
            transaction_id=finding.stripe_id,
            amount_minor=finding.difference_minor,
        )
        _note_remedy(finding, f"reversal {request} asked for", by=person, reason=reason)
    return request


def can_take_back(finding: Finding) -> bool:
    """Whether Stripe has more for an award of ours than we booked."""
    is_credit = finding.award is not None and finding.currency == finding.award.currency
    return (
        finding.kind in (Kind.DOUBLED, Kind.AMOUNT)
        and finding.state in LIVING
        and is_credit
        and not finding.stripe_currency
        and finding.difference_minor > 0
    )


def compare_again(finding: Finding, *, by: User) -> ReconciliationRun:
    """Read this customer anew; first what invoices used is read from the beginning and booked.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: the customer is being compared.
    """
    person = person_with(by, PERMISSION)
    with transaction.atomic():
        run = open_run(ReconciliationRun.Scope.CUSTOMER, by=person, customer=finding.customer)
        remedy = READ_AGAIN if finding.kind == Kind.CONSUMPTION else "compared again"
        _note_remedy(finding, remedy, by=person, reason="")
    return run


def _reopen_batch(award: Award, *, by: User) -> None:
    """An award under way keeps its batch open, as a failed one does that is sent again."""
    if award.batch is None:
        return
    row = locked(award.batch)
    if row.state not in _OPEN_BATCH:
        raise MoveError(f"Its batch is {row.state}: nothing of it is issued.")
    if row.state == BatchState.ISSUED:
        move(row, BatchState.ISSUING, by=by, reason="missing at Stripe", issued_at=None)


def _note_remedy(finding: Finding, remedy: str, *, by: User, reason: str) -> None:
    finding.remedy, finding.remedied_at = remedy, timezone.now()
    finding.settled_by = by
    with history(by=by, reason=f"{remedy}: {reason}" if reason else remedy):
        finding.save(update_fields=["remedy", "remedied_at", "settled_by"])
