"""What happened, from its first minute to its resolution."""

from datetime import datetime, timedelta
from typing import ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.states import Movable


class State(models.TextChoices):
    """As Statuspage names them; the last four are a maintenance's."""

    INVESTIGATING = "investigating", _("investigating")
    IDENTIFIED = "identified", _("identified")
    MONITORING = "monitoring", _("monitoring")
    RESOLVED = "resolved", _("resolved")
    SCHEDULED = "scheduled", _("scheduled")
    IN_PROGRESS = "in_progress", _("in progress")
    VERIFYING = "verifying", _("verifying")
    COMPLETED = "completed", _("completed")


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Sets of incidents."""

    def running(self) -> "IncidentQuerySet":
        return self.exclude(state__in=[State.RESOLVED, State.COMPLETED, State.SCHEDULED])


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    exclude=["cohorts_resolved_at", "cohorts_resolving_ms", "affected_customers"],
)
class Incident(Movable):
    """One failure (or announced maintenance) with one or more outages. Times are UTC.

    `started_at` is when customers began to feel it, `detected_at` when we noticed,
    `acknowledged_at` when somebody took it, `mitigated_at` when they stopped feeling it.
    """

    class Kind(models.TextChoices):
        INCIDENT = "incident", _("incident")
        MAINTENANCE = "maintenance", _("maintenance")

    class Severity(models.TextChoices):
        """Statuspage's impact."""

        NONE = "none", _("none")
        MINOR = "minor", _("minor")
        MAJOR = "major", _("major")
        CRITICAL = "critical", _("critical")

    State = State
    MOVES: ClassVar = {
        State.INVESTIGATING: frozenset({State.IDENTIFIED, State.MONITORING, State.RESOLVED}),
        State.IDENTIFIED: frozenset({State.INVESTIGATING, State.MONITORING, State.RESOLVED}),
        State.MONITORING: frozenset({State.INVESTIGATING, State.IDENTIFIED, State.RESOLVED}),
        State.RESOLVED: frozenset({State.INVESTIGATING}),
        State.SCHEDULED: frozenset({State.IN_PROGRESS, State.COMPLETED}),
        State.IN_PROGRESS: frozenset({State.VERIFYING, State.COMPLETED}),
        State.VERIFYING: frozenset({State.IN_PROGRESS, State.COMPLETED}),
        State.COMPLETED: frozenset(),
    }

    number = models.CharField(_("number"), max_length=20, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=300)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.INCIDENT)
    state = models.CharField(
        _("state"),
        max_length=20,
        choices=State.choices,
        default=State.INVESTIGATING,
        editable=False,
    )
    severity = models.CharField(
        _("severity"), max_length=20, choices=Severity.choices, default=Severity.MAJOR
    )
    commander = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True,
        related_name="commanded_incidents", verbose_name=_("commander"),
    )  # fmt: skip
    summary = models.TextField(_("summary"), blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    detected_at = models.DateTimeField(_("detected"), null=True, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    mitigated_at = models.DateTimeField(_("mitigated"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    scheduled_for = models.DateTimeField(_("scheduled from"), null=True, blank=True)
    scheduled_until = models.DateTimeField(_("scheduled to"), null=True, blank=True)
    # Where it was imported from, as SOURCE:ID; importing again finds it by this.
    external_id = models.CharField(
        max_length=200,
        unique=True,
        null=True,
        blank=True,
        editable=False,
    )
    # Up to when the exposures' seconds are counted; None before the first time.
    cohorts_resolved_at = models.DateTimeField(null=True, editable=False)
    # How long that took, in milliseconds, and how many customers were found.
    cohorts_resolving_ms = models.PositiveIntegerField(default=0, editable=False)
    affected_customers = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="incident_newest"),
            models.Index(fields=["state"], name="incident_state"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True) | Q(resolved_at__gte=F("started_at")),
                name="incident_resolved_after_start",
                violation_error_message=_("An incident cannot be resolved before it started."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def needs_resolving(self, now: datetime) -> bool:
        """Whether its cohorts are due: a large incident rests ten times as long as it takes."""
        if self.cohorts_resolved_at is None:
            return True
        rest = timedelta(milliseconds=10 * self.cohorts_resolving_ms)
        return now - self.cohorts_resolved_at >= rest

    @property
    def is_running(self) -> bool:
        return self.state not in {State.RESOLVED, State.COMPLETED, State.SCHEDULED}


class IncidentUpdate(models.Model):
    """A public word about an incident, as it was published."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="updates")
    state = models.CharField(max_length=20, choices=State.choices)
    body = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        verbose_name = _("update")
        verbose_name_plural = _("updates")
        ordering = ["published_at", "id"]

    def __str__(self) -> str:
        return f"{self.published_at:%Y-%m-%d %H:%M} {self.state}"
