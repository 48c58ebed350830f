"""A named group of an incident's affected customers."""

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer, Subscription
from incidents.models.incident import Incident


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    exclude=["exposure_count"],
)
class Cohort(models.Model):
    """Whom we count together. A subscription belongs to the first cohort in order that it fits.

    By condition: every subscription that an outage hit and that fits `condition` (empty: all).
    By list: the customers or subscriptions in its members, pushed as a CSV or by the API.
    """

    class Source(models.TextChoices):
        CONDITION = "condition", _("condition")
        LIST = "list", _("list")

    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, related_name="cohorts", verbose_name=_("incident")
    )
    name = models.CharField(_("name"), max_length=200)
    position = models.PositiveIntegerField(_("order"), default=1)
    source = models.CharField(
        _("found by"), max_length=20, choices=Source.choices, default=Source.CONDITION
    )
    condition = models.TextField(
        _("condition"), blank=True,
        help_text=_('Such as: plan = "Business" and customer.country = "DE". Empty: everyone hit.'),
    )  # fmt: skip
    exposure_count = models.PositiveIntegerField(_("subscriptions"), default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("cohort")
        verbose_name_plural = _("cohorts")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "name"], name="cohort_name_once",
                violation_error_message=_("This incident has a cohort of this name already."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class CohortMember(models.Model):
    """One entry of a list: a subscription, or a customer (with all subscriptions, or none).

    Seconds given here are taken as they are; without them they are computed from the outages.
    """

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="members")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    major_seconds = models.PositiveBigIntegerField(null=True, blank=True)
    partial_seconds = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cohort", "subscription"],
                name="cohort_member_subscription_once",
                condition=Q(subscription__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["cohort", "customer"],
                name="cohort_member_customer_once",
                condition=Q(subscription__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} in {self.cohort}"
