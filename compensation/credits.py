"""What a customer got and has left: for the account page and the API."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer
from compensation.models import Award, LedgerEntry, Reversal
from compensation.models.award import AwardState
from compensation.models.reversal import ReversalState
from incidents.models import Incident


class CreditState(models.TextChoices):
    """An award's state in the customer's words."""

    COMING = "coming", _("on its way")
    BOOKED = "booked", _("booked")
    USED = "used", _("used")
    TAKEN_BACK = "taken_back", _("taken back")


# What isn't here was never promised: proposed, left out, or refused by Stripe.
_STATES = {
    AwardState.APPROVED: CreditState.COMING,
    AwardState.SENDING: CreditState.COMING,
    AwardState.UNKNOWN: CreditState.COMING,
    AwardState.ISSUED: CreditState.BOOKED,
    AwardState.REVERSED: CreditState.TAKEN_BACK,
}


@dataclass(frozen=True, slots=True)
class Use:
    """An invoice that took `amount_minor` (positive, minor units) of a credit."""

    invoice: str
    amount_minor: int
    used_at: datetime


@dataclass(frozen=True, slots=True)
class TakenBack:
    """`amount_minor` (positive, minor units) that was taken back, and why; 0 for other benefits.

    `why` is in the reader's language. `trial_until` (UTC): where a trial ends now.
    """

    amount_minor: int
    taken_at: datetime | None
    why: Any
    trial_until: datetime | None


@dataclass(frozen=True, slots=True)
class Credit:
    """One benefit as its customer sees it. Amounts in minor units, times in UTC.

    `left_minor` is what no invoice has taken yet; 0 where the benefit is no money.
    """

    award: Award
    state: CreditState
    incident: Incident | None
    booked_at: datetime | None
    amount_minor: int
    left_minor: int
    currency: str
    trial_until: datetime | None
    priority_until: datetime | None
    uses: tuple[Use, ...]
    taken_back: TakenBack | None = None

    @property
    def kept_minor(self) -> int:
        """What had been used when the rest was taken back, and stays."""
        return self.amount_minor - self.taken_back.amount_minor if self.taken_back else 0


@dataclass(frozen=True, slots=True)
class Credits:
    """Newest first; `balances_minor` is what is left, by currency."""

    credits: list[Credit] = field(default_factory=list)
    balances_minor: dict[str, int] = field(default_factory=dict)


def credits_of(customer: Customer) -> Credits:
    """Everything `customer` was promised or got, and the balance per currency.

    Three queries, and one more where something was taken back.
    """
    awards = list(
        Award.objects.filter(customer=customer, state__in=_STATES)
        .select_related("incident", "subscription", "batch__version__policy")
        .prefetch_related("batch__version__rules")  # for `explain`
        .order_by("-id")
    )
    back = _taken_back([award for award in awards if award.state == AwardState.REVERSED])
    moved: dict[int | None, list[LedgerEntry]] = defaultdict(list)
    balances: dict[str, int] = defaultdict(int)
    for entry in LedgerEntry.objects.filter(customer=customer).order_by("id"):
        if entry.currency:
            balances[entry.currency] += entry.amount_minor
        moved[entry.award_id].append(entry)
    credits_ = [_credit(award, moved[award.pk], back.get(award.pk)) for award in awards]
    return Credits(credits_, dict(balances))


def _taken_back(awards: list[Award]) -> dict[int, TakenBack]:
    """By award. One is taken back once, for all that is left of it."""
    if not awards:
        return {}
    amounts = {award.pk: award.reversed_minor for award in awards}
    done = Reversal.objects.filter(award__in=awards, state=ReversalState.DONE, corrects="")
    return {
        each.award_id: TakenBack(
            amount_minor=amounts[each.award_id],
            taken_at=each.done_at,
            why=each.request.get_cause_display(),
            trial_until=each.trial_end,
        )
        for each in done.select_related("request").order_by("id")
    }


def _credit(award: Award, entries: list[LedgerEntry], back: TakenBack | None) -> Credit:
    is_credit = award.benefit == Award.Benefit.CREDIT
    left = sum(entry.amount_minor for entry in entries)
    state = _STATES[AwardState(award.state)]
    if is_credit and state == CreditState.BOOKED and left <= 0:
        state = CreditState.USED
    is_trial = award.benefit == Award.Benefit.TRIAL
    return Credit(
        award=award,
        state=state,
        incident=award.incident,
        booked_at=award.issued_at,
        amount_minor=award.amount_minor,
        left_minor=left if is_credit else 0,
        currency=award.currency,
        trial_until=award.trial_end_target if is_trial else None,
        priority_until=award.priority_until,
        taken_back=back,
        uses=_uses(entries),
    )


def _uses(entries: list[LedgerEntry]) -> tuple[Use, ...]:
    """What each invoice took and kept; one that was voided gave it back, and is not told of."""
    taken: dict[str, int] = defaultdict(int)
    used_at: dict[str, datetime] = {}
    for entry in entries:
        if entry.kind == LedgerEntry.Kind.CONSUMED:
            invoice = entry.note or entry.stripe_id
            taken[invoice] -= entry.amount_minor
            used_at.setdefault(invoice, entry.booked_at)
    return tuple(
        Use(invoice, amount_minor, used_at[invoice])
        for invoice, amount_minor in taken.items()
        if amount_minor > 0
    )
