"""Batches until they wait for approval: made, priced, submitted, cancelled."""

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.numbering import next_number
from backoffice.states import MoveError, history, move
from compensation.authority import person_with
from compensation.budgets import check_fits, fits_of_batch
from compensation.caps import default_version
from compensation.digests import batch_digest
from compensation.models import ApprovalThreshold, Award, Batch, PolicyVersion
from compensation.models.award import BINDS, AwardState
from compensation.models.batch import BatchState
from compensation.pricing import price
from incidents.models import Incident, Outage

__all__ = [
    "approvals_needed",
    "batch_digest",
    "cancel_batch",
    "create_batch",
    "customers_awarded_since",
    "locked",
    "price_batch",
    "proposed",
    "submit_batch",
    "wait_for_other_decisions",
]

# Their awards are signed, or wait to be.
SUBMITTED_OR_LATER = (
    BatchState.SUBMITTED,
    BatchState.APPROVED,
    BatchState.ISSUING,
    BatchState.PAUSED,
    BatchState.ISSUED,
)


def locked(batch: Batch) -> Batch:
    """The batch as it is now, locked until the transaction ends. Lock it before its awards."""
    return Batch.objects.select_for_update(of=("self",)).get(pk=batch.pk)


def create_batch(
    incident: Incident,
    version: PolicyVersion,
    *,
    by: User | None = None,
    key: str = "",
    kind: str = Batch.Kind.INCIDENT,
) -> Batch:
    """A draft for `incident` under `version`: by a person, an API key (its name), or the system.

    One of the kind `claims` holds what its claims are about, and nothing else.

    Raises:
        PermissionDenied: `by` may not make batches.
        ValidationError: the version is not in force.
    """
    person = person_with(by, "compensation.add_batch") if by is not None else None
    batch = Batch(
        incident=incident, version=version, kind=kind, created_by=person, created_by_key=key
    )
    _check_in_force(batch)
    with transaction.atomic(), history(by=person, key=key):
        batch.number = next_number(Batch)
        batch.save(force_insert=True)
    return batch


def price_batch(batch: Batch, *, by: User | None = None, key: str = "") -> Batch:
    """Compute the batch's awards anew under its version; draft or priced becomes priced.

    Awards that a person left out stay left out.

    Raises:
        PermissionDenied: `by` may not price.
        MoveError: the batch is past pricing.
        ValidationError: the version is no longer in force.
    """
    person = person_with(by, "compensation.price_batch") if by is not None else None
    with transaction.atomic():
        row = locked(batch)
        if not row.can_move(BatchState.PRICED):
            raise MoveError(f"This batch is {row.state}: it cannot be priced again.")
        _check_in_force(row)
        # before the awards are read: what comes in meanwhile counts as later
        priced_at = timezone.now()
        price(row, by=person)
        move(
            row,
            BatchState.PRICED,
            by=person,
            reason=key,
            priced_at=priced_at,
            summary={},
            digest="",
        )
    return _shown(batch, row)


def submit_batch(batch: Batch, *, by: User | None, key: str = "") -> Batch:
    """Freeze the priced awards under a digest and ask for approval.

    Who submits (a person, or the API key named `key`) cannot approve. How many must approve is
    decided here, from the thresholds per currency.

    Raises:
        PermissionDenied: `by` may not submit.
        MoveError: the batch is not priced, or was changed meanwhile.
        ValidationError: nothing to pay, the version is not in force, an outage still runs or ended
            after the pricing, an award to one of these customers came after the pricing, or a
            budget is exceeded.
    """
    if by is None and not key:
        raise PermissionDenied(_("A batch is submitted by a person or an API key."))
    person = person_with(by, "compensation.submit_batch") if by is not None else None
    with transaction.atomic():
        wait_for_other_decisions()
        row = locked(batch)
        if not row.can_move(BatchState.SUBMITTED):
            raise MoveError(f"This batch is {row.state}: only a priced one can be submitted.")
        _check_in_force(row)
        _check_payable(row)
        _check_outages_over(row)
        _check_prices_current(row)
        check_fits(fits_of_batch(row, at=timezone.now()), "awards")
        move(
            row,
            BatchState.SUBMITTED,
            by=person,
            reason=key,
            digest=batch_digest(row),
            approvals_needed=approvals_needed(row),
            submitted_by=person,
            submitted_at=timezone.now(),
        )
    return _shown(batch, row)


def cancel_batch(batch: Batch, *, by: User, reason: str = "") -> Batch:
    """Give a batch up before it is approved. Nothing of it was promised to anybody.

    Raises:
        PermissionDenied, MoveError.
    """
    person = person_with(by, "compensation.cancel_batch")
    with transaction.atomic():
        row = locked(batch)
        move(row, BatchState.CANCELLED, by=person, reason=reason)
    return _shown(batch, row)


def proposed(batch: Batch) -> QuerySet[Award]:
    """The batch's awards that would be paid."""
    return Award.objects.filter(batch=batch, state=AwardState.PROPOSED)


def approvals_needed(batch: Batch) -> int:
    """2 where the credits of a currency add up to more than its threshold, otherwise 1."""
    sums = (
        Award.objects.filter(batch=batch, benefit=Award.Benefit.CREDIT)
        .exclude(state=AwardState.EXCLUDED)
        .order_by()
        .values_list("currency")
        .annotate(total=Sum("amount_minor"))
    )
    thresholds = dict(ApprovalThreshold.objects.values_list("currency", "amount_minor"))
    above = any(currency in thresholds and total > thresholds[currency] for currency, total in sums)
    return 2 if above else 1


def customers_awarded_since(
    batch: Batch,
    awards: QuerySet[Award],
    *,
    unaware_only: bool = False,
    since: datetime | None = None,
) -> int:
    """How many customers of `awards` got an award from elsewhere that `batch` was priced without.

    Pricing counts what waits for approval like what is approved, so it is the submission of another
    batch that counts, and what was taken back into it later. With `unaware_only` another batch is
    left aside that was priced after this one was submitted: then it has counted this one. So has
    goodwill given since, if this batch is under the terms whose caps bound goodwill. `since` (UTC)
    is the pricing unless said otherwise.
    """
    since = since or batch.priced_at
    from_batches = Q(batch__state__in=SUBMITTED_OR_LATER) & (
        Q(batch__submitted_at__gte=since) | Q(included_at__gte=since)
    )
    given = Q(batch__isnull=True, created_at__gte=since)
    if unaware_only:
        from_batches &= Q(batch__priced_at__lt=batch.submitted_at)
        if batch.version == default_version():
            given &= Q(created_at__lt=batch.submitted_at)
    others = (
        Award.objects.filter(
            from_batches | given,
            BINDS | Q(state=AwardState.PROPOSED),
            customer=OuterRef("customer"),
        )
        .exclude(batch=batch)
        .order_by()
    )
    touched = awards.filter(Exists(others))
    return int(touched.aggregate(n=Count("customer", distinct=True))["n"])


def wait_for_other_decisions() -> None:
    """Until this transaction ends, nobody else submits, approves or retries.

    Each such decision must see what the others bound us to, or caps would be exceeded.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('compensation.decisions'))")


def _check_in_force(batch: Batch) -> None:
    version = batch.version
    if version is None:
        raise MoveError("This is goodwill: no policy prices it.")
    # A claim is worth what was promised when it happened.
    was_once = batch.kind == Batch.Kind.CLAIMS and version.state == PolicyVersion.State.RETIRED
    if version.state != PolicyVersion.State.ACTIVE and not was_once:
        raise ValidationError({"version": _("%(version)s is not in force.") % {"version": version}})


def _check_payable(batch: Batch) -> None:
    if not proposed(batch).exists():
        raise ValidationError({"awards": _("Nothing is to be paid: every award is left out.")})
    nowhere = proposed(batch).filter(
        Q(benefit=Award.Benefit.CREDIT, customer__stripe_customer_id=None)
        | Q(benefit=Award.Benefit.TRIAL, subscription__stripe_subscription_id=None)
        | Q(benefit=Award.Benefit.TRIAL, trial_end_target=None)
    )
    if count := nowhere.count():
        raise ValidationError(
            {
                "awards": _("%(count)s awards have nowhere to go at Stripe: price again.")
                % {"count": count}
            }
        )


def _check_outages_over(batch: Batch) -> None:
    """An award is given once per incident, so it must see the whole of it.

    The incident itself may still be open (somebody watches it), its outages may not.
    """
    unfinished = Outage.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=F("incident__batches__priced_at")),
        incident__batches=batch,
    )
    if unfinished.exists():
        raise ValidationError(
            {"incident": _("An outage still ran when this was priced: end it, then price again.")}
        )


def _check_prices_current(batch: Batch) -> None:
    customers = customers_awarded_since(batch, proposed(batch))
    if customers:
        raise ValidationError(
            {
                "awards": _(
                    "%(customers)s of these customers got another award since the pricing: "
                    "price again."
                )
                % {"customers": customers}
            }
        )


def _shown(batch: Batch, row: Batch) -> Batch:
    """Bring the caller's object up to date with the row that was changed."""
    batch.__dict__.update(row.__dict__)
    return batch
