"""Cohorts and the members of lists."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from backoffice.customers.conditions import ConditionError, parse_condition
from backoffice.customers.models import Customer, Subscription
from backoffice.states import history
from incidents.cohorts.resolution import lock_exposures
from incidents.models import Cohort, CohortMember, Incident

# More would be a slip of the hand: a hundred years.
MOST_SECONDS = 100 * 366 * 24 * 3600


@dataclass(frozen=True)
class MemberRow:
    """One line of a list: references as the host product calls them, seconds or None.

    A customer, or a subscription, or both (the subscription must then be the customer's).
    """

    customer: str = ""
    subscription: str = ""
    major_seconds: int | None = None
    partial_seconds: int | None = None


@dataclass(frozen=True)
class Problem:
    """Why the row at `index` (from 0) cannot be taken, and which of its fields is to blame.

    `same_as` is the index of an earlier row that names the same customer or subscription.
    """

    index: int
    field: str
    message: str
    same_as: int | None = None


class MemberError(ValidationError):
    """Rows of a list that cannot be taken; `problems` has them all."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__({f"{p.index}.{p.field}": p.message for p in problems})


def add_cohort(  # noqa: PLR0913 - a cohort's fields
    *,
    incident: Incident,
    name: str,
    condition: str = "",
    source: str = Cohort.Source.CONDITION,
    position: int | None = None,
    by: AbstractBaseUser | None = None,
) -> Cohort:
    """Add a cohort to `incident`, last in order, but before the one that takes everyone left.

    Nobody is counted before the incident's cohorts are resolved again.

    Raises:
        ValidationError: the name is taken, or the condition cannot be read.
    """
    is_list = source == Cohort.Source.LIST
    if is_list and condition.strip():
        raise ValidationError({"condition": _("A list has members, not a condition.")})
    try:
        parse_condition(condition)
    except ConditionError as error:
        raise ValidationError({"condition": str(error)}) from error
    with transaction.atomic(), history(by=by):
        Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
        if incident.cohorts.filter(name=name).exists():
            raise ValidationError({"name": _("This incident has a cohort of this name already.")})
        if position is None:
            position = _make_room(incident, before_everyone=is_list or bool(condition.strip()))
        cohort = Cohort(
            incident=incident, name=name, condition=condition, source=source, position=position
        )
        cohort.full_clean()
        cohort.save()
    return cohort


def _make_room(incident: Incident, *, before_everyone: bool) -> int:
    last = incident.cohorts.order_by("-position", "-pk").first()
    if last is None:
        return 1
    if before_everyone and last.source == Cohort.Source.CONDITION and not last.condition.strip():
        Cohort.objects.filter(pk=last.pk).update(position=F("position") + 1)
        return last.position
    highest = incident.cohorts.aggregate(highest=Max("position"))["highest"]
    return int(highest) + 1


def remove_cohort(*, cohort: Cohort, by: AbstractBaseUser | None, reason: str = "") -> None:
    """Delete `cohort` with its members and exposures; awards made from them stay."""
    with transaction.atomic(), history(by=by, reason=reason):
        lock_exposures(cohort.incident)
        cohort.delete()


def match_members(rows: Sequence[MemberRow]) -> tuple[list[CohortMember], list[Problem]]:
    """Find the customers and subscriptions of `rows`: the members (unsaved), and what is wrong.

    Two queries, however many rows there are.
    """
    named = {row.subscription for row in rows if row.subscription}
    subscriptions = Subscription.objects.filter(reference__in=named).select_related("customer")
    by_reference = {subscription.reference: subscription for subscription in subscriptions}
    wanted = {row.customer for row in rows if row.customer}
    customers = Customer.objects.in_bulk(list(wanted), field_name="reference")
    members, problems = [], []
    first_rows: dict[tuple[int, int | None], int] = {}
    for index, row in enumerate(rows):
        wrong = _wrong_with(row, customers, by_reference)
        if wrong is not None:
            problems.append(Problem(index, *wrong))
            continue
        member = _member(row, customers, by_reference)
        first = first_rows.setdefault((member.customer_id, member.subscription_id), index)
        if first == index:
            members.append(member)
        else:
            field = "subscription" if row.subscription else "customer"
            message = _("Row %(number)d names the same one.") % {"number": first + 1}
            problems.append(Problem(index, field, message, same_as=first))
    return members, problems


def _wrong_with(
    row: MemberRow, customers: Mapping[str, Customer], subscriptions: Mapping[str, Subscription]
) -> tuple[str, str] | None:
    """The field to blame and why, or None."""
    for field in ("major_seconds", "partial_seconds"):
        value = getattr(row, field)
        if value is not None and not 0 <= value <= MOST_SECONDS:
            return field, _("Give 0 seconds or more, and less than a hundred years.")
    if row.subscription and row.subscription not in subscriptions:
        return "subscription", _("There is no subscription “%s”.") % row.subscription
    if row.customer and row.customer not in customers:
        return "customer", _("There is no customer “%s”.") % row.customer
    if not row.subscription and not row.customer:
        return "customer", _("Give a customer's or a subscription's reference.")
    if row.subscription and row.customer:
        owner = subscriptions[row.subscription].customer
        if owner.reference != row.customer:
            return "subscription", _("This is the subscription of customer “%s”.") % owner.reference
    return None


def _member(
    row: MemberRow, customers: Mapping[str, Customer], subscriptions: Mapping[str, Subscription]
) -> CohortMember:
    subscription = subscriptions.get(row.subscription)
    customer = subscription.customer if subscription else customers[row.customer]
    return CohortMember(
        customer=customer,
        subscription=subscription,
        major_seconds=row.major_seconds,
        partial_seconds=row.partial_seconds,
    )


def push_members(
    *, cohort: Cohort, rows: Iterable[MemberRow], by: AbstractBaseUser | None = None
) -> int:
    """Put `rows` on the list of `cohort`; who is on it already gets the new seconds.

    Nobody is counted before the incident's cohorts are resolved again. Returns how many.

    Raises:
        ValidationError: the cohort is no list.
        MemberError: some rows are wrong; nothing is done then.
    """
    if cohort.source != Cohort.Source.LIST:
        raise ValidationError({"cohort": _("This cohort is found by a condition: push to a list.")})
    members, problems = match_members(list(rows))
    if problems:
        raise MemberError(problems)
    for member in members:
        member.cohort = cohort
    named = [m.subscription_id for m in members if m.subscription_id]
    bare = [m.customer_id for m in members if not m.subscription_id]
    with transaction.atomic(), history(by=by):
        # Of two pushes to one list the second waits, so that neither trips over the other's rows.
        Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
        cohort.members.filter(
            Q(subscription__in=named) | Q(subscription=None, customer__in=bare)
        ).delete()
        CohortMember.objects.bulk_create(members, batch_size=5000)
    return len(members)
