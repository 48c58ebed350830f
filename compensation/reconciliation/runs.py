"""Runs: starting, stopping and choosing them, and whose turn it is in them."""

from datetime import UTC, datetime, time

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from backoffice.states import MoveError, move
from compensation.authority import person_with
from compensation.models import Award, Finding, LedgerEntry, ReconciliationRun
from compensation.reconciliation.ours import SENT_STATES
from compensation.reconciliation.waking import wake_reconciling
from compensation.reconciliation.writing import LIVING

PERMISSION = "compensation.run_reconciliation"
Scope = ReconciliationRun.Scope
State = ReconciliationRun.State


def start_run(
    *, by: User, scope: str = Scope.AWARDED, customer: Customer | None = None
) -> ReconciliationRun:
    """Begin to compare; a worker goes through the customers.

    `awarded`: all with an award that was approved, an entry in the ledger or a finding. `full`:
    besides them everyone who has an account at Stripe, to find credit that we know nothing of.
    Customers at Stripe that are not among ours at all are not looked for: mirror them first.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: such a run is under way.
    """
    person_with(by, PERMISSION)
    return open_run(scope, by=by, customer=customer)


def open_run(
    scope: str, *, by: User | None = None, customer: Customer | None = None
) -> ReconciliationRun:
    """As `start_run`, for those who have asked already, and for the system itself."""
    run = ReconciliationRun(scope=scope, customer=customer, started_by=by)
    run.customers_total = walked(run).count()
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            transaction.on_commit(wake_reconciling, robust=True)
    except IntegrityError:
        raise MoveError("A reconciliation is under way: wait for it, or stop it.") from None
    return run


def stop_run(run: ReconciliationRun, *, by: User, reason: str) -> ReconciliationRun:
    """End a run where it is; what it has found stays.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: it is over.
    """
    person = person_with(by, PERMISSION)
    note = f"Stopped by {person}" + (f": {reason}" if reason else ".")
    move(run, State.STOPPED, by=person, reason=reason, note=note, ended_at=timezone.now())
    return run


def next_run() -> ReconciliationRun | None:
    """The run whose turn it is: single customers first, somebody waits for them."""
    first = Case(When(scope=Scope.CUSTOMER, then=0), default=1)
    return ReconciliationRun.objects.filter(state=State.RUNNING).order_by(first, "id").first()


def walked(run: ReconciliationRun) -> QuerySet[Customer]:
    """All customers that `run` compares, in its order."""
    customers = Customer.objects.order_by("id")
    if run.scope == Scope.CUSTOMER:
        return customers.filter(pk=run.customer_id or 0)
    of = {"customer": OuterRef("pk")}
    has_books = Q(
        Exists(Award.objects.filter(**of, state__in=SENT_STATES))
        | Exists(LedgerEntry.objects.filter(**of))
        | Exists(Finding.objects.filter(**of, state__in=LIVING))
    )
    if run.scope == Scope.FULL:
        has_books |= Q(stripe_customer_id__isnull=False) & ~Q(stripe_customer_id="")
    return customers.filter(has_books)


def start_daily() -> ReconciliationRun | None:
    """The day's run, when its hour has come and it was not started yet; None otherwise."""
    if settings.RECONCILIATION_HOUR < 0:
        return None
    now = timezone.now().astimezone(UTC)
    due = datetime.combine(now.date(), time(settings.RECONCILIATION_HOUR), UTC)
    walks = ReconciliationRun.objects.exclude(scope=Scope.CUSTOMER)
    if now < due or walks.filter(Q(state=State.RUNNING) | Q(started_at__gte=due)).exists():
        return None
    is_full = now.weekday() == settings.RECONCILIATION_FULL_WEEKDAY
    try:
        return open_run(Scope.FULL if is_full else Scope.AWARDED)
    except MoveError:  # another beat was quicker
        return None
