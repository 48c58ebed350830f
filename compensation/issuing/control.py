"""Starting, pausing, resuming and finishing batches, and the one switch that stops everything."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.states import MoveError, history, move
from compensation.authority import person_with
from compensation.batches import locked
from compensation.digests import batch_digest
from compensation.issuing.claiming import is_stopped
from compensation.issuing.waking import wake_issuing
from compensation.models import Award, Batch, IssuingControl
from compensation.models.award import AwardState
from compensation.models.batch import BatchState

TO_DO = (AwardState.APPROVED, AwardState.SENDING)
TAMPERED = (
    "The awards are not those that were approved: nothing more is issued from this batch until "
    "they are again."
)


def has_work() -> bool:
    """Whether an issuer would find something to do. Cheap, for the beat to ask."""
    if is_stopped():
        return False
    to_do = Award.objects.filter(state__in=TO_DO)
    return (
        Batch.objects.filter(state=BatchState.APPROVED).exists()
        or to_do.filter(source=Award.Source.GOODWILL, batch=None).exists()
        or to_do.filter(source__in=Award.Source, batch__state=BatchState.ISSUING).exists()
        or Batch.objects.filter(~_open_awards(), state=BatchState.ISSUING).exists()
    )


def start_batches() -> None:
    """Begin issuing what is approved and still what was signed; pause what isn't."""
    for batch in Batch.objects.filter(state=BatchState.APPROVED).order_by("id"):
        with transaction.atomic():
            row = locked(batch)
            if row.state != BatchState.APPROVED:
                continue
            if is_as_signed(row):
                move(row, BatchState.ISSUING, by=None, issuing_started_at=timezone.now())
            else:
                move(row, BatchState.PAUSED, by=None, reason=TAMPERED, pause_reason=TAMPERED)


def recheck_batches() -> None:
    """Pause what is being issued and is no longer what was signed."""
    for batch in Batch.objects.filter(state=BatchState.ISSUING).order_by("id"):
        if not is_as_signed(batch):
            pause_for(batch.pk, TAMPERED)


def finish_batches() -> None:
    """Call issued what has nothing left to send; an unknown award keeps its batch open."""
    for batch in Batch.objects.filter(~_open_awards(), state=BatchState.ISSUING).order_by("id"):
        with transaction.atomic():
            row = locked(batch)
            is_open = Batch.objects.filter(_open_awards(), pk=row.pk).exists()
            if row.state == BatchState.ISSUING and not is_open:
                move(row, BatchState.ISSUED, by=None, issued_at=timezone.now())


def is_as_signed(batch: Batch) -> bool:
    """Whether the awards are, to the bit, what enough people signed."""
    digest = batch_digest(batch)
    signed = batch.approvals.filter(withdrawn_at=None).values_list("digest", flat=True)
    return (
        digest == batch.digest
        and len(signed) >= batch.approvals_needed
        and all(each == digest for each in signed)
    )


def pause_batch(batch: Batch, *, by: User, reason: str) -> Batch:
    """Send nothing more of `batch` for now; calls under way finish.

    Raises:
        PermissionDenied, MoveError.
    """
    return _pause(batch, by=person_with(by, "compensation.pause_batch"), reason=reason)


def pause_for(batch: int, reason: str) -> None:
    """Pause by the issuer itself, for a reason that people must see to."""
    with transaction.atomic():
        row = Batch.objects.select_for_update(of=("self",)).get(pk=batch)
        if row.state == BatchState.ISSUING:
            move(row, BatchState.PAUSED, by=None, reason=reason, pause_reason=reason)


def resume_batch(batch: Batch, *, by: User) -> Batch:
    """Go on with a paused batch.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: it is not paused, or its awards are not those that were approved.
    """
    person = person_with(by, "compensation.pause_batch")
    with transaction.atomic():
        row = locked(batch)
        if row.can_move(BatchState.ISSUING) and not is_as_signed(row):
            raise MoveError(TAMPERED)
        if row.state != BatchState.PAUSED:
            raise MoveError(f"This batch is {row.state}: only a paused one can be resumed.")
        started = row.issuing_started_at or timezone.now()
        move(row, BatchState.ISSUING, by=person, pause_reason="", issuing_started_at=started)
        transaction.on_commit(wake_issuing, robust=True)
    batch.__dict__.update(row.__dict__)
    return batch


def stop_issuing(*, by: User, reason: str) -> IssuingControl:
    """Stop everything: nothing more is sent, calls under way finish.

    Raises:
        PermissionDenied: `by` may not.
    """
    return _switch(is_stopped=True, by=person_with(by, "compensation.stop_issuing"), reason=reason)


def stop_for(reason: str) -> None:
    """Stop everything by the issuer itself, for a reason that people must see to."""
    _switch(is_stopped=True, by=None, reason=reason)


def resume_issuing(*, by: User) -> IssuingControl:
    """Let issuing go on; paused batches stay paused.

    Raises:
        PermissionDenied: `by` may not.
    """
    person = person_with(by, "compensation.stop_issuing")
    switch = _switch(is_stopped=False, by=person, reason="")
    transaction.on_commit(wake_issuing, robust=True)
    return switch


def _open_awards() -> Q:
    """A batch with something left to send or to find out; each part has an index of its own."""
    awards = Award.objects.filter(batch=OuterRef("pk"))
    return (
        Q(Exists(awards.filter(source=Award.Source.BATCH, state__in=TO_DO)))
        | Q(Exists(awards.filter(source=Award.Source.GOODWILL, state__in=TO_DO)))
        | Q(Exists(awards.filter(state=AwardState.UNKNOWN)))
    )


def _pause(batch: Batch, *, by: User, reason: str) -> Batch:
    with transaction.atomic():
        row = locked(batch)
        move(row, BatchState.PAUSED, by=by, reason=reason, pause_reason=reason)
    batch.__dict__.update(row.__dict__)
    return batch


def _switch(*, is_stopped: bool, by: User | None, reason: str) -> IssuingControl:
    with transaction.atomic(), history(by=by, reason=reason):
        switch, _made = IssuingControl.objects.select_for_update().get_or_create(id=1)
        switch.is_stopped, switch.reason, switch.changed_by = is_stopped, reason, by
        switch.told_at = None
        switch.save()
    return switch
