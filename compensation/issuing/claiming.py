"""Taking awards in hand: state, key, hash and time are committed before any call is made."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from compensation.issuing.orders import Order, new_key, order_for
from compensation.models import Award, Batch, IssuingControl
from compensation.models.award import AwardState
from compensation.models.batch import BatchState


@dataclass(frozen=True, slots=True)
class Recovered:
    """A row that an issuer before us left `sending`; without an order it was sent otherwise."""

    award: int
    key: str
    order: Order | None


def is_stopped() -> bool:
    """Whether the one switch is off."""
    return IssuingControl.objects.filter(is_stopped=True).exists()


def issuing_batches() -> list[int]:
    """The batches being issued, oldest first."""
    return list(
        Batch.objects.filter(state=BatchState.ISSUING).order_by("id").values_list("id", flat=True)
    )


def claim(batch: int | None, *, limit: int, after: int = 0) -> list[Order]:
    """Claim up to `limit` approved awards of `batch` with ids above `after`.

    None as the batch stands for goodwill that was given at once, without finance.


    Nothing is claimed while all issuing is stopped or the batch is not being issued: both are
    looked at under a lock, so that a pause is over all claims or after them, never in between.
    """
    # durable: inside another transaction nothing would be committed before the calls
    with transaction.atomic(durable=True):
        if not may_issue(batch):
            return []
        awards = list(
            _awards(batch)
            .filter(state=AwardState.APPROVED, id__gt=after)
            .exclude(benefit=Award.Benefit.PRIORITY)
            .select_for_update(skip_locked=True, of=("self",))[:limit]
        )
        now = timezone.now()
        orders = [_fresh_order(award, now) for award in awards]
        _mark_sending(orders)
    return orders


def recover(batch: int | None, *, limit: int, after: int = 0) -> list[Recovered]:
    """Rows left `sending` by an issuer that is no more, with what it sent, rebuilt.

    Only for the holder of the issuer's lock, before it claims: then every such row is orphaned.
    """
    with transaction.atomic():
        if not may_issue(batch):
            return []
        awards = list(_awards(batch).filter(state=AwardState.SENDING, id__gt=after)[:limit])
    return [Recovered(award.pk, award.idempotency_key, _rebuilt(award)) for award in awards]


def reclaim(order: Order) -> Order | None:
    """A new key for an order that was proved not to be booked; None if the row has moved on."""
    with transaction.atomic(durable=True):
        award = (
            Award.objects.select_for_update(of=("self",))
            .select_related("incident")
            .get(pk=order.award)
        )
        if award.state != AwardState.SENDING or award.idempotency_key != order.key:
            return None
        award.attempt += 1
        fresh = order_for(
            award,
            key=new_key(award.pk, award.attempt),
            first_sent_at=timezone.now(),
            is_fresh=False,
        )
        _mark_sending([fresh])
    return fresh


def may_issue(batch: int | None) -> bool:
    switches = IssuingControl.objects.select_for_update(no_key=True).filter(id=1)
    if any(switch.is_stopped for switch in switches):
        return False
    if batch is None:
        return True
    states = Batch.objects.select_for_update(of=("self",), no_key=True).filter(pk=batch)
    return [row.state for row in states.only("state")] == [BatchState.ISSUING]


def source_of(batch: int | None) -> str:
    """Where the awards of `batch` come from: every one of its awards has the same."""
    if batch is None:
        return Award.Source.GOODWILL
    is_goodwill = Batch.objects.filter(pk=batch, kind=Batch.Kind.GOODWILL).exists()
    return Award.Source.GOODWILL if is_goodwill else Award.Source.BATCH


def _awards(batch: int | None) -> QuerySet[Award]:
    # source and states stand here as in the partial index, which holds what is left to do only
    awards = Award.objects.filter(
        source=source_of(batch), batch=batch, state__in=[AwardState.APPROVED, AwardState.SENDING]
    )
    return awards.select_related("incident").order_by("id")


def _fresh_order(award: Award, now: datetime) -> Order:
    """An award that was claimed and given back keeps its key, and the key its age.

    Whoever gave it back had not sent it; but after a lost lock another issuer may have.
    """
    key, first_sent_at = award.idempotency_key, award.first_sent_at or now
    if not key:
        award.attempt += 1
        key, first_sent_at = new_key(award.pk, award.attempt), now
    order = order_for(award, key=key, first_sent_at=first_sent_at, is_fresh=True)
    return replace(order, is_fresh=order.key_is_safe(now))


def _rebuilt(award: Award) -> Order | None:
    if award.first_sent_at is None:
        return None
    order = order_for(
        award, key=award.idempotency_key, first_sent_at=award.first_sent_at, is_fresh=False
    )
    return order if order.parameters_hash() == award.parameters_hash else None


def _mark_sending(orders: list[Order]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE compensation_award award
            SET state = 'sending', idempotency_key = claim.key, parameters_hash = claim.hash,
                first_sent_at = claim.sent_at, attempt = claim.attempt
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::int[])
                AS claim (award, key, hash, sent_at, attempt)
            WHERE award.id = claim.award AND award.state IN ('approved', 'sending')
            """,
            [
                [order.award for order in orders],
                [order.key for order in orders],
                [order.parameters_hash() for order in orders],
                [order.first_sent_at for order in orders],
                [order.attempt for order in orders],
            ],
        )
