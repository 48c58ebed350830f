"""The rows of a policy's table, and the examples that it must give."""

from decimal import Decimal

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from compensation.models.policy import PolicyVersion
from incidents.models import Outage

_FROZEN = pgtrigger.Trigger(
    name="rule_is_frozen",
    operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
    when=pgtrigger.Before,
    func="""
        IF EXISTS (
            SELECT 1 FROM compensation_policyversion
            WHERE id IN (
                CASE WHEN TG_OP = 'INSERT' THEN NEW.version_id ELSE OLD.version_id END,
                CASE WHEN TG_OP = 'DELETE' THEN OLD.version_id ELSE NEW.version_id END
            ) AND state <> 'draft'
        ) THEN
            RAISE EXCEPTION 'The rows of a version that was active once cannot change.';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    """,
)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Rule(models.Model):
    """One row of a policy's table. An empty condition fits everything.

    Uptime is in percent of the period, downtime in minutes; both as the version counts them.

    What a credit comes to: `percent` of the fee; `time_multiple` x the fee of the time lost;
    `step`, percent of the fee for each `step_minutes` of downtime beyond the allowance
    (`allowance_minutes`, or the downtime that `allowance_uptime` percent of the period leaves);
    `hours` of the fee, a month's fee being that of `fee_hours` hours (of the calendar month's own
    where that is empty); or an amount per currency.
    """

    class Credit(models.TextChoices):
        NONE = "", _("none")
        PERCENT = "percent", _("percent of the fee")
        TIME_MULTIPLE = "time_multiple", _("multiple of the fee for the time lost")
        STEP = "step", _("percent of the fee for each interval")
        HOURS = "hours", _("hours of the fee")
        FIXED = "fixed", _("fixed amount")

    class Step(models.TextChoices):
        COMPLETED = "completed", _("completed")
        STARTED = "started", _("started")

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField(_("order"), default=1)
    label = models.CharField(_("name"), max_length=200, blank=True)

    # conditions
    plans = ArrayField(
        models.CharField(max_length=100), verbose_name=_("plans"), default=list, blank=True
    )
    countries = ArrayField(
        models.CharField(max_length=2), verbose_name=_("countries"), default=list, blank=True
    )
    segments = ArrayField(
        models.CharField(max_length=50), verbose_name=_("segments"), default=list, blank=True
    )
    statuses = ArrayField(
        models.CharField(max_length=20), verbose_name=_("statuses"), default=list, blank=True
    )
    tenure_months_from = models.PositiveIntegerField(
        _("months with us, from"), null=True, blank=True
    )
    tenure_months_to = models.PositiveIntegerField(
        _("months with us, below"), null=True, blank=True
    )
    uptime_from = models.DecimalField(
        _("uptime from"), max_digits=9, decimal_places=6, null=True, blank=True
    )
    uptime_from_inclusive = models.BooleanField(_("from counts"), default=True)
    uptime_to = models.DecimalField(
        _("uptime to"), max_digits=9, decimal_places=6, null=True, blank=True
    )
    uptime_to_inclusive = models.BooleanField(_("to counts"), default=False)
    minutes_from = models.DecimalField(
        _("minutes from"), max_digits=12, decimal_places=3, null=True, blank=True
    )
    minutes_from_inclusive = models.BooleanField(_("from counts"), default=True)
    minutes_to = models.DecimalField(
        _("minutes to"), max_digits=12, decimal_places=3, null=True, blank=True
    )
    minutes_to_inclusive = models.BooleanField(_("to counts"), default=False)
    condition = models.TextField(_("further condition"), blank=True)

    # benefits
    credit = models.CharField(
        _("credit"), max_length=20, choices=Credit.choices, default=Credit.NONE, blank=True
    )
    credit_value = models.DecimalField(
        _("percent, multiple or hours"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    credit_amounts = models.JSONField(_("fixed amounts"), default=dict, blank=True)
    step_minutes = models.DecimalField(
        _("interval, minutes"), max_digits=9, decimal_places=3, null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.001"))],
    )  # fmt: skip
    step_counts = models.CharField(
        _("an interval counts when"), max_length=10, choices=Step.choices, default=Step.COMPLETED,
        db_default=Step.COMPLETED,
    )  # fmt: skip
    allowance_minutes = models.DecimalField(
        _("beyond so many minutes"), max_digits=12, decimal_places=3, null=True, blank=True,
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    allowance_uptime = models.DecimalField(
        _("beyond what this uptime allows"), max_digits=9, decimal_places=6, null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    fee_hours = models.PositiveIntegerField(
        _("hours that a month's fee pays for"), null=True, blank=True,
        validators=[MinValueValidator(1)],
    )  # fmt: skip
    trial_days = models.PositiveIntegerField(_("trial days"), default=0)
    priority_days = models.PositiveIntegerField(_("days of priority support"), default=0)

    class Meta:
        verbose_name = _("row")
        verbose_name_plural = _("rows")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "position"],
                name="rule_position_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(allowance_minutes__isnull=True) | Q(allowance_uptime__isnull=True),
                name="rule_one_allowance",
                violation_error_message=_("Give the allowance in minutes or as uptime, not both."),
            ),
            models.CheckConstraint(
                condition=Q(uptime_to__isnull=True)
                | Q(uptime_from__isnull=True)
                | Q(uptime_to__gte=F("uptime_from")),
                name="rule_uptime_ordered",
                violation_error_message=_("Uptime from must not be above uptime to."),
            ),
        ]
        triggers = [_FROZEN]

    def __str__(self) -> str:
        return self.label or f"Row {self.position}"


_FROZEN_EXAMPLE = pgtrigger.Trigger(
    name="example_is_frozen", operation=_FROZEN.operation, when=_FROZEN.when, func=_FROZEN.func
)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class PolicyExample(models.Model):
    """What a version must give for one made-up outage; run on every save, and before activation.

    `minutes` are the lengths of its outages, all of one impact and in one period, which begins on
    `starts_on` (UTC) and lasts as long as the calendar says or, given, `period_minutes`.
    `fee_minor` is a month's fee and `expected_minor` the credit, in minor units of `currency`;
    `expected_days` are days of service. With neither, the published text does not say what is due,
    and lint must flag the hole. Words left empty are a customer who has none: a row for a plan
    does not fit an example without one.
    """

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="examples")
    position = models.PositiveIntegerField(_("order"), default=1)
    label = models.CharField(_("name"), max_length=200, blank=True)
    plan = models.CharField(_("plan"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    segment = models.CharField(_("segment"), max_length=50, blank=True)
    tenure_months = models.PositiveIntegerField(_("months with us"), null=True, blank=True)
    fee_minor = models.PositiveBigIntegerField(_("monthly fee"), default=0)
    currency = models.CharField(_("currency"), max_length=3)
    minutes = ArrayField(
        models.DecimalField(max_digits=12, decimal_places=3, validators=[MinValueValidator(0)]),
        verbose_name=_("minutes out"),
    )
    impact = models.CharField(
        _("impact"), max_length=10, choices=Outage.Impact.choices, default=Outage.Impact.MAJOR
    )
    share_percent = models.DecimalField(
        _("share hit, percent"), max_digits=6, decimal_places=3, null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    starts_on = models.DateField(_("period from"))
    period_minutes = models.PositiveIntegerField(
        _("length of the period, minutes"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    expected_minor = models.BigIntegerField(_("credit"), null=True, blank=True)
    expected_days = models.PositiveIntegerField(_("days of service"), null=True, blank=True)

    class Meta:
        verbose_name = _("example")
        verbose_name_plural = _("examples")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "position"], name="example_position_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(expected_minor__isnull=True) | Q(expected_days__isnull=True),
                name="example_expects_one",
                violation_error_message=_("Expect a credit or days of service, not both."),
            ),
        ]  # fmt: skip
        triggers = [_FROZEN_EXAMPLE]

    def __str__(self) -> str:
        return self.label or f"Example {self.position}"
