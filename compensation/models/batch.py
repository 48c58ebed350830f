"""Awards that are approved together: of one incident under one policy version, or goodwill."""

from typing import ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.states import Movable
from compensation.models.policy import PolicyVersion
from incidents.models import Incident


class BatchState(models.TextChoices):
    """The way of a batch."""

    DRAFT = "draft", _("draft")
    PRICED = "priced", _("priced")
    SUBMITTED = "submitted", _("submitted")
    APPROVED = "approved", _("approved")
    ISSUING = "issuing", _("issuing")
    PAUSED = "paused", _("paused")
    ISSUED = "issued", _("issued")
    REJECTED = "rejected", _("rejected")
    CANCELLED = "cancelled", _("cancelled")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), exclude=["summary"])
class Batch(Movable):
    """Priced, submitted by one person, approved by another, then issued.

    One for an incident has the incident and the version it was priced under; so has one for claims,
    which holds only what customers who had been missed have claimed since. One for goodwill has
    neither: its one award tells what it is for, who asks for it, and why.
    `digest` is the SHA-256 over the ordered awards that are not left out, as an approver signs it.
    `summary` caches the figures of the batch page; the awards are the truth.
    """

    class Kind(models.TextChoices):
        INCIDENT = "incident", _("incident")
        GOODWILL = "goodwill", _("goodwill")
        CLAIMS = "claims", _("claims")

    State = BatchState
    MOVES: ClassVar = {
        BatchState.DRAFT: frozenset({BatchState.PRICED, BatchState.CANCELLED}),
        BatchState.PRICED: frozenset(
            {BatchState.PRICED, BatchState.SUBMITTED, BatchState.CANCELLED}
        ),
        BatchState.SUBMITTED: frozenset(
            {BatchState.APPROVED, BatchState.REJECTED, BatchState.CANCELLED}
        ),
        BatchState.APPROVED: frozenset({BatchState.ISSUING, BatchState.PAUSED}),
        BatchState.ISSUING: frozenset({BatchState.PAUSED, BatchState.ISSUED}),
        BatchState.PAUSED: frozenset({BatchState.ISSUING}),
        # for failed awards that are sent again
        BatchState.ISSUED: frozenset({BatchState.ISSUING}),
        BatchState.REJECTED: frozenset(),
        BatchState.CANCELLED: frozenset(),
    }

    number = models.CharField(_("number"), max_length=20, unique=True, editable=False)
    kind = models.CharField(
        _("kind"), max_length=10, choices=Kind.choices, default=Kind.INCIDENT,
        db_default=Kind.INCIDENT, editable=False,
    )  # fmt: skip
    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, related_name="batches", verbose_name=_("incident"),
        null=True,
    )  # fmt: skip
    version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="batches", verbose_name=_("policy"),
        null=True,
    )  # fmt: skip
    state = models.CharField(
        _("state"), max_length=20, choices=BatchState.choices, default=BatchState.DRAFT,
        editable=False,
    )  # fmt: skip
    digest = models.CharField(max_length=64, blank=True, editable=False)
    approvals_needed = models.PositiveSmallIntegerField(default=1, editable=False)
    summary = models.JSONField(default=dict, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+",
        editable=False,
    )  # fmt: skip
    # Where no person made it: the API key's name.
    created_by_key = models.CharField(max_length=200, blank=True, editable=False)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+",
        editable=False,
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    priced_at = models.DateTimeField(null=True, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    issuing_started_at = models.DateTimeField(null=True, editable=False)
    issued_at = models.DateTimeField(null=True, editable=False)
    pause_reason = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=["incident", "claims"], incident__isnull=False, version__isnull=False
                )
                | Q(kind="goodwill", incident__isnull=True, version__isnull=True),
                name="batch_of_its_kind",
            )
        ]
        permissions = [
            ("price_batch", "Can price a batch"),
            ("submit_batch", "Can submit a batch for approval"),
            ("cancel_batch", "Can cancel a batch"),
            ("approve_batch", "Can approve or reject a batch"),
            ("pause_batch", "Can pause and resume a batch"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def about(self) -> str:
        """What it is for, in a line: its incident and policy, or that it is goodwill."""
        if self.kind == self.Kind.GOODWILL:
            return str(_("Goodwill"))
        if self.kind == self.Kind.CLAIMS:
            return str(_("Claims")) + f": {self.incident}, {self.version}"
        return f"{self.incident}, {self.version}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Approval(models.Model):
    """One approver's signature under a batch's digest.

    Withdrawn (never deleted) when the awards change afterwards: it signed something else.
    """

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="approvals")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="approvals"
    )
    digest = models.CharField(max_length=64)
    comment = models.TextField(_("comment"), blank=True)
    signed_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "user"],
                name="approval_one_per_person",
                condition=models.Q(withdrawn_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.batch}"


class BatchLook(models.Model):
    """What a person last saw of a batch, so that its page can say what changed since."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="looks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    totals = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "user"], name="batch_look_once")]

    def __str__(self) -> str:
        return f"{self.user} at {self.batch}"
