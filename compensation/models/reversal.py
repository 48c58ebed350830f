"""Taking issued awards back: asked for by one person, approved by another, award by award."""

from typing import ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer
from backoffice.states import Movable
from compensation.models.award import Award
from compensation.models.batch import Batch


class RequestState(models.TextChoices):
    """The way of a request."""

    ASKED = "asked", _("waits for approval")
    APPROVED = "approved", _("being taken back")
    DONE = "done", _("done")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn")


class ReversalState(models.TextChoices):
    """The way of one award back."""

    ASKED = "asked", _("waits for approval")
    APPROVED = "approved", _("approved")
    SENDING = "sending", _("sending")
    DONE = "done", _("taken back")
    NOTHING = "nothing", _("nothing was left")
    FAILED = "failed", _("failed")
    UNKNOWN = "unknown", _("unknown")
    DROPPED = "dropped", _("not taken back")


class Cause(models.TextChoices):
    """Why a credit is taken back, in words that its customer reads in their language."""

    MISTAKE = "mistake", _("It was booked by mistake.")
    TWICE = "twice", _("It was booked twice.")
    AMOUNT = "amount", _("The amount was wrong.")
    NOT_AFFECTED = "not_affected", _("The outage did not affect you after all.")
    ASKED_FOR = "asked_for", _("You asked for it.")


# Not over yet: at most one of these an award.
OPEN_REVERSAL = (
    ReversalState.ASKED,
    ReversalState.APPROVED,
    ReversalState.SENDING,
    ReversalState.UNKNOWN,
)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class ReversalRequest(Movable):
    """Somebody wants one award, or all of a batch, taken back, and says why.

    `digest` is the SHA-256 over its reversals as an approver signs them. `reason` is for us alone,
    `cause` is what the customer reads. `problem` says why an approved one does not go on.
    """

    State = RequestState
    MOVES: ClassVar = {
        RequestState.ASKED: frozenset(
            {RequestState.APPROVED, RequestState.REJECTED, RequestState.WITHDRAWN}
        ),
        RequestState.APPROVED: frozenset({RequestState.DONE}),
        # for failed ones that are sent again
        RequestState.DONE: frozenset({RequestState.APPROVED}),
        RequestState.REJECTED: frozenset(),
        RequestState.WITHDRAWN: frozenset(),
    }

    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, null=True, related_name="reversal_requests"
    )
    award = models.ForeignKey(
        Award, on_delete=models.PROTECT, null=True, related_name="reversal_requests"
    )
    cause = models.CharField(_("what the customer reads"), max_length=20, choices=Cause.choices)
    reason = models.TextField(_("reason"))
    state = models.CharField(
        _("state"), max_length=20, choices=RequestState.choices, default=RequestState.ASKED
    )
    digest = models.CharField(max_length=64, blank=True)
    approvals_needed = models.PositiveSmallIntegerField(default=1)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # Where no person asked: the API key's name.
    asked_by_key = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    approved_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)

    class Meta:
        verbose_name = _("reversal request")
        verbose_name_plural = _("reversals")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(batch__isnull=True, award__isnull=False)
                | Q(batch__isnull=False, award__isnull=True),
                name="reversal_request_of_one",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="reversal_request_says_why"),
            models.UniqueConstraint(
                fields=["batch"],
                name="reversal_request_one_open",
                condition=Q(state__in=["asked", "approved"], batch__isnull=False),
            ),
        ]
        permissions = [
            ("ask_reversal", "Can ask for an award or a batch to be taken back"),
            ("approve_reversal", "Can approve or reject a reversal"),
        ]

    def __str__(self) -> str:
        return f"R-{self.pk}"

    @property
    def number(self) -> str:
        return str(self)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class ReversalApproval(models.Model):
    """One approver's signature under a request's digest."""

    request = models.ForeignKey(ReversalRequest, on_delete=models.PROTECT, related_name="approvals")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    comment = models.TextField(_("comment"), blank=True)
    signed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("reversal approval")
        verbose_name_plural = _("reversal approvals")
        constraints = [
            models.UniqueConstraint(
                fields=["request", "user"], name="reversal_approval_one_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.request}"


class Reversal(Movable):
    """One award on its way back. Key, hash and time of a call are stored before the call is made.

    Amounts are positive, in minor units of `currency`; 0 where the benefit is no money.
    `limit_minor` is what was left when it was asked for, and is signed: never more is taken.
    `amount_minor` is what is taken, fixed before it is sent; `seen_minor` what Stripe's balance
    held when it held less. `trial_end` (UTC) is the date that a trial is set back to.
    `overdrawn_minor` is what an invoice used at the very moment, so that the customer owes it now.
    """

    State = ReversalState
    MOVES: ClassVar = {
        ReversalState.ASKED: frozenset({ReversalState.APPROVED, ReversalState.DROPPED}),
        ReversalState.APPROVED: frozenset(
            {ReversalState.SENDING, ReversalState.DONE, ReversalState.NOTHING}
        ),
        ReversalState.SENDING: frozenset(
            {
                ReversalState.APPROVED,
                ReversalState.DONE,
                ReversalState.NOTHING,
                ReversalState.FAILED,
                ReversalState.UNKNOWN,
            }
        ),
        ReversalState.UNKNOWN: frozenset(
            {ReversalState.SENDING, ReversalState.DONE, ReversalState.FAILED}
        ),
        ReversalState.FAILED: frozenset({ReversalState.APPROVED}),
        ReversalState.DONE: frozenset(),
        ReversalState.NOTHING: frozenset(),
        ReversalState.DROPPED: frozenset(),
    }

    request = models.ForeignKey(ReversalRequest, on_delete=models.PROTECT, related_name="reversals")
    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="reversals")
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    state = models.CharField(
        _("state"), max_length=10, choices=ReversalState.choices, default=ReversalState.ASKED
    )
    limit_minor = models.BigIntegerField(default=0)
    amount_minor = models.BigIntegerField(default=0)
    seen_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    # The transaction at Stripe that is one too many (or too large): taking it back is none of the
    # ledger's business, which never had it, and leaves the award as it is.
    corrects = models.CharField(max_length=255, blank=True, default="", db_default="")
    trial_end = models.DateTimeField(null=True)
    overdrawn_minor = models.BigIntegerField(default=0)

    idempotency_key = models.CharField(max_length=255, blank=True)
    parameters_hash = models.CharField(max_length=64, blank=True)
    first_sent_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    stripe_id = models.CharField(max_length=255, blank=True)
    error_code = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("reversal")
        verbose_name_plural = _("reversals of awards")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["award"],
                name="reversal_one_open",
                condition=Q(state__in=OPEN_REVERSAL),
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                name="reversal_key_once",
                condition=~Q(idempotency_key=""),
            ),
            models.CheckConstraint(
                condition=~Q(state="sending")
                | (
                    ~Q(idempotency_key="") & ~Q(parameters_hash="") & Q(first_sent_at__isnull=False)
                ),
                name="reversal_sending_has_key",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, amount_minor__lte=models.F("limit_minor")),
                name="reversal_within_limit",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="reversal_to_send",
                condition=Q(state__in=["approved", "sending"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request}/{self.award_id}"
