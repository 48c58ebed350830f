"""What a customer pays for."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice import money
from backoffice.customers.models.customer import Customer


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Whose life is known."""

    def with_known_life(self) -> "SubscriptionQuerySet":
        """Without those that ended nobody noted when: of no moment can it be said they were there.

        They are neither hit by an incident nor counted among the customers there were.
        """
        return self.exclude(status__in=Subscription.ENDED, ended_at__isnull=True)


class Subscription(models.Model):
    """A plan a customer pays for, with its fee per interval.

    `fee_minor` is the whole fee of one interval of `interval_months` months, in minor units of
    `currency`, before tax. `started_at` and `ended_at` bound its life: outside of it no outage
    counts.
    """

    class Status(models.TextChoices):
        """As Stripe names them (https://docs.stripe.com/api/subscriptions/object#status)."""

        TRIALING = "trialing", _("trialing")
        ACTIVE = "active", _("active")
        PAST_DUE = "past_due", _("past due")
        UNPAID = "unpaid", _("unpaid")
        PAUSED = "paused", _("paused")
        INCOMPLETE = "incomplete", _("incomplete")
        INCOMPLETE_EXPIRED = "incomplete_expired", _("incomplete, expired")
        CANCELED = "canceled", _("cancelled")

    ENDED = (Status.CANCELED, Status.INCOMPLETE_EXPIRED)

    class Interval(models.IntegerChoices):
        """Whole months only: a fee must be brought exactly to a policy's period."""

        MONTH = 1, _("month")
        QUARTER = 3, _("quarter")
        HALF_YEAR = 6, _("half-year")
        YEAR = 12, _("year")

    reference = models.CharField(_("reference"), max_length=100, unique=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="subscriptions", verbose_name=_("customer")
    )
    plan = models.CharField(_("plan"), max_length=100)
    fee_minor = models.BigIntegerField(_("fee"), help_text=_("In minor units, per interval."))
    currency = models.CharField(_("currency"), max_length=3, validators=[money.validate_currency])
    interval_months = models.PositiveSmallIntegerField(
        _("interval"), choices=Interval.choices, default=Interval.MONTH
    )
    status = models.CharField(
        _("status"), max_length=20, choices=Status.choices, default=Status.ACTIVE
    )
    region = models.CharField(
        _("region"), max_length=50, blank=True, help_text=_("Empty: hit by outages of any region.")
    )
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    trial_end = models.DateTimeField(_("trial until"), null=True, blank=True)
    period_start = models.DateTimeField(_("period from"), null=True, blank=True)
    period_end = models.DateTimeField(_("period to"), null=True, blank=True)
    stripe_subscription_id = models.CharField(
        _("Stripe subscription"),
        max_length=255,
        unique=True,
        null=True,
        blank=True,
    )
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.CheckConstraint(
                condition=Q(fee_minor__gte=0), name="subscription_fee_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(interval_months__in=[1, 3, 6, 12]), name="subscription_interval_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="subscription_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(period_start__isnull=True, period_end__isnull=True)
                | Q(period_end__gt=F("period_start")),
                name="subscription_period_has_length",
            ),
        ]
        indexes = [models.Index(fields=["plan"], name="subscription_plan")]

    def __str__(self) -> str:
        return f"{self.plan} ({self.reference})"
