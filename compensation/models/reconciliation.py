"""What comparing our books with Stripe's found, and how far a comparison has come."""

from typing import ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer
from backoffice.states import Movable
from compensation.models.award import Award

# The remedy of an unbooked use: Stripe is read from the beginning before it is compared again.
READ_AGAIN = "uses read again"


class ReconciliationRun(Movable):
    """One walk over customers, which survives its worker.

    What it has counted and `cursor` are committed together, so a killed run goes on where it was.
    `cursor` is the id of the last customer that was compared; `totals` holds the sums of all
    compared so far, by currency (see `reconciliation.comparing.Line`), in minor units.
    """

    class Scope(models.TextChoices):
        AWARDED = "awarded", _("customers with awards")
        FULL = "full", _("all customers")
        CUSTOMER = "customer", _("one customer")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        STOPPED = "stopped", _("stopped")

    MOVES: ClassVar = {
        State.RUNNING: frozenset({State.FINISHED, State.STOPPED}),
        State.FINISHED: frozenset(),
        State.STOPPED: frozenset(),
    }

    scope = models.CharField(
        _("scope"), max_length=10, choices=Scope.choices, default=Scope.AWARDED
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.RUNNING
    )
    # Empty for a run that the beat started.
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True,
        related_name="+", verbose_name=_("started by"),
    )  # fmt: skip
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    # When the last chunk was committed.
    moved_at = models.DateTimeField(_("last step"), null=True)
    cursor = models.BigIntegerField(default=0)
    customers_total = models.PositiveIntegerField(_("customers"), default=0)
    customers_done = models.PositiveIntegerField(_("compared"), default=0)
    # Stripe gave no answer, or the customer's awards moved all the time: not compared.
    customers_skipped = models.PositiveIntegerField(_("not compared"), default=0)
    awards = models.PositiveIntegerField(_("awards"), default=0)
    transactions = models.PositiveIntegerField(_("transactions"), default=0)
    calls = models.PositiveIntegerField(_("calls to Stripe"), default=0)
    found = models.PositiveIntegerField(_("new findings"), default=0)
    seen_again = models.PositiveIntegerField(_("found again"), default=0)
    closed = models.PositiveIntegerField(_("gone"), default=0)
    totals = models.JSONField(default=dict)
    # Why it stopped, or waits.
    note = models.TextField(blank=True)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliation")
        ordering = ["-id"]
        constraints = [
            # One walk over many at a time; single customers go in between.
            models.UniqueConstraint(
                fields=["state"],
                name="reconciliation_one_walk",
                condition=Q(state="running") & ~Q(scope="customer"),
            ),
            models.UniqueConstraint(
                fields=["customer"],
                name="reconciliation_customer_once",
                condition=Q(state="running", scope="customer"),
            ),
            models.CheckConstraint(
                condition=Q(scope="customer", customer__isnull=False)
                | ~Q(scope="customer") & Q(customer__isnull=True),
                name="reconciliation_of_one_names_it",
            ),
        ]
        permissions = [("run_reconciliation", "Can start and stop a reconciliation")]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} #{self.pk}"


class FindingKind(models.TextChoices):
    """How our books and Stripe's can differ."""

    MISSING = "missing", _("missing at Stripe")
    UNKNOWN = "unknown", _("unknown to us")
    AMOUNT = "amount", _("amount differs")
    DOUBLED = "doubled", _("doubled")
    TRIAL = "trial", _("trial ends earlier")
    CONSUMPTION = "consumption", _("use not booked")
    BALANCE = "balance", _("balance differs")
    UNREADABLE = "unreadable", _("not shown by Stripe")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange("state", "remedied_at")),
    fields=["state", "difference_minor", "currency", "settled_reason", "remedy", "remedied_at"],
    model_name="FindingEvent",
    obj_field=pghistory.ObjForeignKey(related_name="events"),
)
class Finding(Movable):
    """One difference. The same difference, found again, is the same row: `identity` says so.

    Amounts are signed as in our ledger (positive is credit the customer has), in minor units of
    `currency`: `ours_minor`, `stripe_minor`, and `difference_minor`, which is Stripe's minus
    ours. For a trial the dates stand in `our_date` and `stripe_date`.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ACKNOWLEDGED = "acknowledged", _("accepted")
        CLOSED = "closed", _("gone")

    MOVES: ClassVar = {
        State.OPEN: frozenset({State.ACKNOWLEDGED, State.CLOSED}),
        State.ACKNOWLEDGED: frozenset({State.OPEN, State.CLOSED}),
        State.CLOSED: frozenset({State.OPEN}),
    }
    Kind = FindingKind

    identity = models.CharField(max_length=300, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=FindingKind.choices)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.OPEN)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", verbose_name=_("customer")
    )
    award = models.ForeignKey(
        Award, on_delete=models.PROTECT, null=True, blank=True, related_name="findings"
    )
    # The transaction, subscription or customer at Stripe.
    stripe_id = models.CharField(max_length=255, blank=True)
    stripe_customer = models.CharField(max_length=255, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    ours_minor = models.BigIntegerField(default=0)
    stripe_minor = models.BigIntegerField(default=0)
    difference_minor = models.BigIntegerField(default=0)
    # Where Stripe has it in another currency than `currency`: then `stripe_minor` is in this one,
    # and `difference_minor` is ours alone.
    stripe_currency = models.CharField(max_length=3, blank=True)
    our_date = models.DateTimeField(null=True)
    stripe_date = models.DateTimeField(null=True)
    detail = models.TextField(blank=True)
    # Why it was accepted, in a person's words.
    settled_reason = models.TextField(blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True)
    # What was set going to mend it, and when.
    remedy = models.CharField(max_length=30, blank=True)
    remedied_at = models.DateTimeField(null=True)
    first_run = models.ForeignKey(
        ReconciliationRun, on_delete=models.PROTECT, related_name="first_findings"
    )
    last_run = models.ForeignKey(
        ReconciliationRun, on_delete=models.PROTECT, related_name="findings"
    )
    found_at = models.DateTimeField(_("found"))
    seen_at = models.DateTimeField(_("last seen"))
    closed_at = models.DateTimeField(_("gone since"), null=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["kind"], name="finding_open", condition=Q(state="open")),
            models.Index(
                fields=["customer"],
                name="finding_living",
                condition=Q(state__in=["open", "acknowledged"]),
            ),
        ]
        permissions = [("settle_finding", "Can remedy or accept a finding")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.customer}"
