"""A batch's awards, written by the statement that prices them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from backoffice.states import MoveError, history
from compensation.models import Award, Batch
from compensation.models.award import Exclusion
from compensation.pricing.joining import joined_wholly
from compensation.pricing.statement import Statement, exclusion, priced
from compensation.pricing.terms import Terms


@dataclass(frozen=True)
class Priced:
    """What a batch holds now: awards proposed and left out; sums (minor units) of the proposed."""

    awards: int
    excluded: int
    customers: int
    amounts: dict[str, int]


@transaction.atomic
def price(batch: Batch, *, by: AbstractBaseUser | None = None) -> Priced:
    """Write the batch's awards anew, by one statement over the exposures as they stand.

    The batch does not move; whoever calls holds its lock. Awards left out by a person stay left
    out, at their new price. Seconds of outages that still run count up to where the exposures
    were counted.

    Raises:
        MoveError: the batch is submitted or further on, so its awards are frozen.
        ConditionError: a row's further condition cannot be understood.
    """
    if batch.state not in {Batch.State.DRAFT, Batch.State.PRICED}:
        raise MoveError(f"This batch is {batch.state}: its awards are frozen.")
    if batch.version is None or batch.incident is None:
        raise MoveError("This is goodwill: no policy prices it.")
    kept = _left_out_by_hand(batch)
    batch.awards.order_by()._raw_delete(using=connection.alias)
    now = timezone.now()
    for whom in _whom(batch):
        terms = Terms.of(batch.version, batch.incident, now, batch_id=batch.pk, **whom)
        if not terms.owes_nothing:
            insert = _insert(terms, now)
            with connection.cursor() as cursor, joined_wholly(terms, cursor):
                cursor.execute(insert.sql, insert.params)
    _forget_unclaimed(batch)
    _leave_out_again(batch, kept, by=by)
    return count(batch)


def count(batch: Batch) -> Priced:
    """What the batch's awards add up to."""
    rows = (
        batch.awards.order_by()
        .values("currency", "benefit")
        .annotate(
            proposed=Count("id", filter=~Q(state=Award.State.EXCLUDED)),
            excluded=Count("id", filter=Q(state=Award.State.EXCLUDED)),
            amount=Sum("amount_minor", filter=~Q(state=Award.State.EXCLUDED), default=0),
        )
    )
    proposed = batch.awards.exclude(state=Award.State.EXCLUDED).order_by()
    return Priced(
        awards=sum(row["proposed"] for row in rows),
        excluded=sum(row["excluded"] for row in rows),
        customers=proposed.aggregate(n=Count("customer_id", distinct=True))["n"],
        amounts={
            row["currency"]: row["amount"]
            for row in rows
            if row["benefit"] == Award.Benefit.CREDIT and row["proposed"]
        },
    )


def _whom(batch: Batch) -> list[dict[str, int]]:
    """Everybody at once; or, where it is of claims, one after another those who claimed."""
    if batch.kind != Batch.Kind.CLAIMS:
        return [{}]
    customers = batch.claims.order_by("customer_id").values_list("customer_id", flat=True)
    return [{"customer_id": customer} for customer in customers.distinct()]


def _forget_unclaimed(batch: Batch) -> None:
    """What a customer who claimed has besides was decided elsewhere."""
    if batch.kind == Batch.Kind.CLAIMS:
        claimed = batch.claims.filter(subscription__isnull=False).values("subscription")
        batch.awards.exclude(subscription__in=claimed).order_by()._raw_delete(
            using=connection.alias
        )


def _insert(terms: Terms, now: datetime) -> Statement:
    clause, union = priced(terms), _benefits(terms, now)
    constants = _constants(terms, now)
    columns = ", ".join([*constants, *_PRICED])
    values = ", ".join(["%s"] * len(constants))
    return Statement(
        f"{clause.sql} INSERT INTO {Award._meta.db_table} ({columns})"
        f" SELECT {values}, b.* FROM ({union.sql}) b",
        (*clause.params, *constants.values(), *union.params),
    )


def proposed(terms: Terms, now: datetime) -> tuple[list[str], Statement]:
    """What `price` would write, as a query: its columns, and the statement that reads them."""
    clause, union = priced(terms), _benefits(terms, now)
    return list(_PRICED), Statement(f"{clause.sql} {union.sql}", (*clause.params, *union.params))


def _benefits(terms: Terms, now: datetime) -> Statement:
    """The columns of _PRICED, of everything that the rows give."""
    benefits = [_credit()]
    if any(rule.trial_days for rule in terms.rules):
        benefits.append(_trial(terms, now))
    if any(rule.priority_days for rule in terms.rules):
        benefits.append(_priority(terms, now))
    union = " UNION ALL ".join(benefit.sql for benefit in benefits)
    return Statement(union, tuple(p for b in benefits for p in b.params))


# What every award keeps of its exposure, whatever the benefit ...
_FROZEN = {
    "cohort_id": "m.cohort_id",
    "customer_id": "m.customer_id",
    "subscription_id": "m.subscription_id",
    "plan": "m.plan",
    "country": "m.country",
    "currency": "m.currency",
    "rules": "m.rules",
    "fee_minor": "m.fee_minor",
    "interval_months": "m.interval_months",
    "major_seconds": "m.major",
    "partial_seconds": "m.partial",
    "downtime_ms": "m.downtime_ms",
    "counted": "m.facts",
    "period_start": "m.period_start",
    "period_end": "m.period_end",
}
# ... and what depends on it, as for one that is neither money nor days.
_PRICED = _FROZEN | {
    "benefit": "",
    "state": "",
    "exclusion": "''",
    "amount_minor": "0",
    "raw_amount": "NULL::numeric",
    "cap_minor": "NULL::bigint",
    "given_minor": "0",
    "days": "0",
    "trial_end_target": "NULL::timestamptz",
    "priority_until": "NULL::timestamptz",
}


def _constants(terms: Terms, now: datetime) -> dict[str, Any]:
    """The columns that are the same in every new award: what pricing does not say, by default."""
    constants: dict[str, Any] = {
        str(field.column): field.get_db_prep_save(field.get_default(), connection)
        for field in Award._meta.concrete_fields
        if not field.primary_key and field.column not in _PRICED
    }
    given = {"batch_id": terms.batch_id, "incident_id": terms.incident.pk, "created_at": now}
    return constants | given


def _select(benefit: str, source: str, columns: dict[str, str], *params: Any) -> Statement:
    why = columns["exclusion"]
    columns = (
        _PRICED
        | columns
        | {
            "benefit": f"'{benefit}'",
            "state": f"CASE WHEN {why} = '' THEN 'proposed' ELSE 'excluded' END",
        }
    )
    return Statement(f"SELECT {', '.join(columns.values())} FROM {source}", params)


def _credit() -> Statement:
    return _select(
        "credit",
        "credits m",
        {
            "exclusion": "m.exclusion",
            "amount_minor": "m.amount_minor",
            "raw_amount": "m.numerator / m.denominator",
            "cap_minor": "m.cap_minor",
            "given_minor": "m.given_minor",
        },
    )


def _trial(terms: Terms, now: datetime) -> Statement:
    """A running trial, or the paid time, ends that much later; never sooner than it would."""
    return _select(
        "trial",
        "matched m WHERE m.trial_days > 0 AND m.status IN ('trialing', 'active', 'canceled')",
        {
            "exclusion": exclusion("trial", terms),
            "days": "m.trial_days",
            "trial_end_target": """
                GREATEST(m.trial_end, m.paid_until, %s) + make_interval(days => m.trial_days::int)
            """,
        },
        now,
    )


def _priority(terms: Terms, now: datetime) -> Statement:
    return _select(
        "priority",
        "matched m WHERE m.priority_days > 0",
        {
            "exclusion": exclusion("priority", terms),
            "days": "m.priority_days",
            "priority_until": "%s + make_interval(days => m.priority_days::int)",
        },
        now,
    )


def _left_out_by_hand(batch: Batch) -> list[tuple[Any, ...]]:
    """People leave out single awards, so these are few."""
    return list(
        batch.awards.filter(exclusion=Exclusion.BY_HAND).values_list(
            "customer_id", "subscription_id", "benefit", "exclusion_reason", "excluded_by_id"
        )
    )


def _leave_out_again(
    batch: Batch, kept: list[tuple[Any, ...]], *, by: AbstractBaseUser | None
) -> None:
    for customer, subscription, benefit, reason, person in kept:
        again = batch.awards.filter(
            customer=customer, subscription=subscription, benefit=benefit, state="proposed"
        )
        with history(by=by, reason=reason):
            again.update(
                state=Award.State.EXCLUDED,
                exclusion=Exclusion.BY_HAND,
                exclusion_reason=reason,
                excluded_by=person,
            )
