"""Whom an incident hit, and for how long."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer, Subscription
from incidents.models.cohort import Cohort
from incidents.models.incident import Incident
from incidents.models.outage import Outage


class ExposureProfile(models.Model):
    """What many exposures share: the components used, the region, and the part of life hit.

    A million subscriptions share few of them, so times are computed once a profile.
    `lived_from` and `lived_to` bound the subscription's life within the incident (UTC).
    `running_impact` is the worst impact of an outage that still goes on for it, or empty.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="profiles")
    components = ArrayField(models.BigIntegerField())
    region = models.CharField(max_length=50, blank=True)
    lived_from = models.DateTimeField()
    lived_to = models.DateTimeField(null=True)
    major_seconds = models.PositiveBigIntegerField()
    partial_seconds = models.PositiveBigIntegerField()
    running_impact = models.CharField(max_length=10, choices=Outage.Impact.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "components", "region", "lived_from", "lived_to"],
                name="exposure_profile_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.components} {self.region} {self.major_seconds}+{self.partial_seconds} s"


class Exposure(models.Model):
    """One subscription of one customer in one cohort of an incident, with its affected seconds.

    Where outages overlap, the worst impact counts and no second counts twice. A customer without
    a subscription can be exposed too (`subscription` is empty then).

    Of the keys only the subscription's is checked by the database: it holds the customer too, and
    the others are written by `cohorts.resolve` alone, which reads them under a lock. Checking all
    of them took 60 % of the time that a large incident needed.
    """

    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, related_name="exposures", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    cohort = models.ForeignKey(
        Cohort, on_delete=models.CASCADE, related_name="exposures", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="exposures", db_constraint=False,
        verbose_name=_("customer"),
    )  # fmt: skip
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, blank=True, related_name="exposures",
        verbose_name=_("subscription"),
    )  # fmt: skip
    profile = models.ForeignKey(
        ExposureProfile, on_delete=models.SET_NULL, null=True, related_name="exposures",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    major_seconds = models.PositiveBigIntegerField(_("seconds out of order"))
    partial_seconds = models.PositiveBigIntegerField(_("seconds partly out of order"))

    class Meta:
        verbose_name = _("exposure")
        verbose_name_plural = _("exposures")
        # A page of a cohort's exposures, the newest first, is read from this alone.
        indexes = [models.Index(fields=["cohort", "-id"], name="exposure_of_cohort")]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "subscription"],
                name="exposure_subscription_once",
                condition=Q(subscription__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["incident", "customer"],
                name="exposure_customer_once",
                condition=Q(subscription__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.major_seconds} s major, {self.partial_seconds} s partial"
