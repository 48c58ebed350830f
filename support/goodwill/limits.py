"""How much a person may still give of their own accord.

Amounts are in minor units of the limit's currency; trials and priority support count in days.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from compensation.models import Award, Batch
from support.models import Goodwill, GoodwillLimit, Ticket

YEAR = timedelta(days=365)
# What was never given, or was taken back.
_GONE = Q(state__in=[Award.State.EXCLUDED, Award.State.REVERSED]) | Q(
    batch__state__in=[Batch.State.REJECTED, Batch.State.CANCELLED]
)
# A benefit and its currency, which is empty where the benefit is no money.
Kind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Left:
    """One limit and what of it is used up."""

    limit: int
    used: int = 0

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


@dataclass(frozen=True, slots=True)
class Limits:
    """A person's three limits of one kind, for one ticket.

    `ticket` and `customer` (365 days back) count what anybody gave or asked finance for; `day`
    (since midnight UTC) counts what the person gave without finance.
    """

    ticket: Left
    day: Left
    customer: Left

    @property
    def left(self) -> int:
        return min(self.ticket.left, self.day.left, self.customer.left)

    def exceeded(self, value: int) -> tuple[str, Left] | None:
        """The first limit that `value` goes beyond, in words such as "per ticket"."""
        named = [
            (_("per ticket"), self.ticket),
            (_("per day"), self.day),
            (_("per customer and year"), self.customer),
        ]
        return next(((name, limit) for name, limit in named if value > limit.left), None)


NOTHING = Limits(Left(0), Left(0), Left(0))


def limits_left(ticket: Ticket, by: User) -> dict[Kind, Limits]:
    """What `by` may still give in `ticket`, by (benefit, currency); what isn't there: nothing.

    Four queries. To decide on the answer, hold `compensation.batches.wait_for_other_decisions`.
    """
    of_ticket = _used(Award.objects.filter(goodwill__in=goodwill_of(ticket)))
    of_day = _used(
        Award.objects.filter(
            goodwill__by=by, goodwill__batch=None, goodwill__created_at__gte=_midnight()
        )
    )
    of_customer = _used(
        Award.objects.filter(
            source=Award.Source.GOODWILL,
            customer=ticket.customer_id,
            created_at__gt=timezone.now() - YEAR,
        )
    )
    return {
        kind: Limits(
            ticket=Left(limit[0], of_ticket.get(kind, 0)),
            day=Left(limit[1], of_day.get(kind, 0)),
            customer=Left(limit[2], of_customer.get(kind, 0)),
        )
        for kind, limit in _limits_of(by).items()
    }


def _limits_of(by: User) -> dict[Kind, tuple[int, int, int]]:
    """Their own limits; of a kind without one the highest of their roles'."""
    rows = GoodwillLimit.objects.filter(Q(user=by) | Q(role__in=by.groups.all()))
    own: dict[Kind, tuple[int, int, int]] = {}
    of_roles: dict[Kind, tuple[int, int, int]] = {}
    for row in rows:
        kind, limit = (row.benefit, row.currency), (row.per_ticket, row.per_day, row.per_customer)
        if row.user_id is not None:
            own[kind] = limit
        else:
            before = of_roles.get(kind, (0, 0, 0))
            of_roles[kind] = (
                max(before[0], limit[0]),
                max(before[1], limit[1]),
                max(before[2], limit[2]),
            )
    return of_roles | own


def goodwill_of(ticket: Ticket) -> QuerySet[Goodwill]:
    """Of the ticket and of those that were merged into it."""
    return Goodwill.objects.filter(Q(ticket=ticket) | Q(ticket__merged_into=ticket))


def _used(awards: QuerySet[Award]) -> dict[Kind, int]:
    rows: Any = (
        awards.exclude(_GONE)
        .order_by()
        .values_list("benefit", "currency")
        .annotate(Sum("amount_minor"), Sum("days"))
    )
    return {
        (benefit, currency): amount_minor if benefit == Award.Benefit.CREDIT else days
        for benefit, currency, amount_minor, days in rows
    }


def _midnight() -> datetime:
    return timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
