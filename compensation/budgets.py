"""Budgets: how much credit one batch may give, and all that is given in a month.

What is approved or waits for approval counts, from batches and goodwill alike, less what was taken
back. It counts in the month (UTC) in which its batch was submitted or, given at once, in which it
was given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet, Sum, Window
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.money import format_money, granularity_minor
from compensation.caps import COUNTED
from compensation.models import Award, Batch, Budget, PolicyVersion
from compensation.models.award import AwardState
from compensation.pricing.periods import Period, calendar_period

_KEPT = F("amount_minor") - F("reversed_minor")


@dataclass(frozen=True, slots=True)
class Fit:
    """One budget against what is to be given: amounts in minor units of `currency`.

    `used_minor` is approved or given, `waiting_minor` is committed: it waits for approval.
    `leave_out` is how many of a batch's awards must go at least, so that the others fit.
    """

    span: str
    month: datetime
    currency: str
    budget_minor: int
    used_minor: int
    waiting_minor: int
    wanted_minor: int
    leave_out: int | None = None

    @property
    def free_minor(self) -> int:
        """What would still fit, in whole steps of the currency."""
        free = max(self.budget_minor - self.used_minor - self.waiting_minor, 0)
        return free - free % granularity_minor(self.currency)

    @property
    def left_minor(self) -> int:
        """What would be left; negative is too much."""
        return self.budget_minor - self.used_minor - self.waiting_minor - self.wanted_minor

    @property
    def name(self) -> str:
        """Budget for a batch; budget October 2026."""
        if self.span == Budget.Span.BATCH:
            return _("Budget of a batch")
        return _("Budget {month}").format(month=date_format(self.month, "F Y"))

    @property
    def words(self) -> str:
        """EUR 50,000: 31,204 used, 2,000 waiting for approval, this 21,877, 5,081 too much."""
        said = {
            "budget": format_money(self.budget_minor, self.currency),
            "used": format_money(self.used_minor, self.currency),
            "waiting": format_money(self.waiting_minor, self.currency),
            "wanted": format_money(self.wanted_minor, self.currency),
            "left": format_money(abs(self.left_minor), self.currency),
        }
        if self.span == Budget.Span.BATCH:
            text = _("{budget}; this {wanted}, {left} left")
            over = _("{budget}; this {wanted}, {left} too much")
        else:
            text = _(
                "{budget}; {used} used, {waiting} waiting for approval, this {wanted}, {left} left"
            )
            over = _(
                "{budget}; {used} used, {waiting} waiting for approval, this {wanted}, "
                "{left} too much"
            )
        return (over if self.left_minor < 0 else text).format(**said)

    @property
    def remedy(self) -> str:
        """What would fit, and how to get there; empty where all of it does."""
        if self.left_minor >= 0:
            return ""
        if not self.free_minor:
            return _("Nothing would fit.")
        fits_ = format_money(self.free_minor, self.currency)
        if self.leave_out is None:
            return _("{amount} would fit.").format(amount=fits_)
        words = ngettext(
            "{amount} would fit: leave out at least {n} award, the largest.",
            "{amount} would fit: leave out at least {n} awards, the largest first.",
            self.leave_out,
        )
        return words.format(amount=fits_, n=self.leave_out)

    @property
    def unbroken_words(self) -> str:
        """The same for a page, no amount broken over two lines."""
        words = f"{self.words}. {self.remedy}" if self.remedy else self.words
        return words.replace(f"{self.currency} ", f"{self.currency}\N{NO-BREAK SPACE}")


def fits_of_batch(batch: Batch, *, at: datetime) -> list[Fit]:
    """Each budget that bounds `batch`, submitted at `at` (UTC), by currency.

    What it gives itself counts as wanted, not as used. Where there is no budget no sum is made.
    """
    if not Budget.objects.exists():
        return []
    sums = _wanted(batch).values_list("currency").annotate(total=Sum(_KEPT))
    found = fits(dict(sums), at=at, besides=batch, is_batch=True)
    return [
        replace(fit, leave_out=_to_leave_out(batch, fit)) if fit.left_minor < 0 else fit
        for fit in found
    ]


def _wanted(batch: Batch) -> QuerySet[Award]:
    awards = Award.objects.filter(batch=batch, benefit=Award.Benefit.CREDIT).order_by()
    return awards.exclude(state__in=[AwardState.EXCLUDED, AwardState.FAILED])


def _to_leave_out(batch: Batch, fit: Fit) -> int:
    """How many at least, the largest first: as many as add up to less than what is too much, +1."""
    largest = Window(Sum(_KEPT), order_by=[F("amount_minor").desc(), F("id").asc()])
    running = _wanted(batch).filter(currency=fit.currency).annotate(together=largest)
    return running.filter(together__lt=-fit.left_minor).count() + 1


def fits(
    wanted_minor: Mapping[str, int],
    *,
    at: datetime,
    besides: Batch | None = None,
    is_batch: bool = False,
) -> list[Fit]:
    """Each budget against `wanted_minor` by currency, given at `at` (UTC)."""
    start = _month(at).start
    found = []
    budgets = Budget.objects.filter(
        Q(month__isnull=True) | Q(month=start.date()), currency__in=list(wanted_minor)
    )
    if not is_batch:
        budgets = budgets.exclude(span=Budget.Span.BATCH)
    # a month's own budget comes last, in place of that of every month
    in_turn = budgets.order_by(F("month").asc(nulls_first=True))
    chosen = {(each.currency, each.span): each for each in in_turn}
    for (currency, span), budget in sorted(chosen.items()):
        used, waiting = (0, 0)
        if span != Budget.Span.BATCH:
            used, waiting = committed_minor(currency, at=at, besides=besides)
        wanted = wanted_minor[currency]
        found.append(Fit(span, start, currency, budget.amount_minor, used, waiting, wanted))
    return found


def used_minor(currency: str, *, at: datetime, besides: Batch | None = None) -> int:
    """What is given or waits for approval in the month (UTC) that holds `at`."""
    return sum(committed_minor(currency, at=at, besides=besides))


def committed_minor(
    currency: str, *, at: datetime, besides: Batch | None = None
) -> tuple[int, int]:
    """What is given in the month (UTC) that holds `at`, and what waits there for approval."""
    period = _month(at)
    batches = Batch.objects.filter(submitted_at__gte=period.start, submitted_at__lt=period.end)
    if besides is not None and besides.pk:
        batches = batches.exclude(pk=besides.pk)
    credits_ = Award.objects.filter(COUNTED, benefit=Award.Benefit.CREDIT, currency=currency)
    given = credits_.filter(
        source=Award.Source.GOODWILL,
        batch=None,
        created_at__gte=period.start,
        created_at__lt=period.end,
    )
    # numbers rather than a join: then the batches' index finds their awards
    of_batches = credits_.filter(batch__in=list(batches.values_list("pk", flat=True)))
    waiting = _sum(of_batches.filter(state=AwardState.PROPOSED))
    return _sum(of_batches.exclude(state=AwardState.PROPOSED)) + _sum(given), waiting


def check_fits(found: list[Fit], field: str) -> None:
    """Whether all of it stays within the budgets. Hold `batches.wait_for_other_decisions`.

    Raises:
        ValidationError: of `field`, by how much which budget is exceeded, what would fit, and how
            many awards to leave out at least.
    """
    over = [fit for fit in found if fit.left_minor < 0]
    if over:
        remedy = _("Leave awards out, wait for the next month, or ask for a larger budget.")
        said = [*(f"{fit.name}: {fit.words}. {fit.remedy}" for fit in over), remedy]
        raise ValidationError({field: [ValidationError(each, code="budget") for each in said]})


def _month(at: datetime) -> Period:
    return calendar_period(at, PolicyVersion.FeePeriod.MONTH)


def _sum(awards: QuerySet[Award]) -> int:
    return awards.order_by().aggregate(total=Sum(_KEPT))["total"] or 0
