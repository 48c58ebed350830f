"""A component out of order for a time."""

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Component
from incidents.models.incident import Incident


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Outage(models.Model):
    """One component, partly or wholly out of order from `starts_at` until before `ends_at` (UTC).

    No `ends_at`: it goes on. A `region` limits it to subscriptions there; empty means everywhere.
    """

    class Impact(models.TextChoices):
        PARTIAL = "partial", _("partial")
        MAJOR = "major", _("major")

    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, related_name="outages", verbose_name=_("incident")
    )
    component = models.ForeignKey(
        Component, on_delete=models.PROTECT, related_name="outages", verbose_name=_("component")
    )
    impact = models.CharField(_("impact"), max_length=10, choices=Impact.choices)
    region = models.CharField(_("region"), max_length=50, blank=True)
    starts_at = models.DateTimeField(_("from"), default=timezone.now)
    affected_percent = models.DecimalField(
        _("share of requests that failed, percent"), max_digits=6, decimal_places=3, null=True,
        blank=True, validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("For policies that weigh downtime by it. Empty: all of them."),
    )  # fmt: skip
    ends_at = models.DateTimeField(_("to"), null=True, blank=True)

    class Meta:
        verbose_name = _("outage")
        verbose_name_plural = _("outages")
        ordering = ["starts_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="outage_ends_after_start",
                violation_error_message=_("An outage must end after it started."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.component}, {self.get_impact_display()}"
