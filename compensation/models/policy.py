"""What we owe for which exposure: policies, their versions, and the rows of their tables."""

from typing import ClassVar

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.states import Movable


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class Policy(models.Model):
    """A promise to customers, such as “Standard SLA”. Its terms are in its versions."""

    key = models.SlugField(_("key"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    source = models.CharField(
        _("source"), max_length=500, blank=True, help_text=_("Where the promise is published.")
    )
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Used for live liability and draft batches.")
    )

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], name="policy_one_default", condition=Q(is_default=True),
                violation_error_message=_("Another policy is the default: take that away first."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


# A batch refers to a version for ever, so what was active once never changes again.
_FROZEN_VERSION = pgtrigger.Trigger(
    name="terms_are_frozen",
    operation=pgtrigger.Update | pgtrigger.Delete,
    when=pgtrigger.Before,
    condition=pgtrigger.Q(old__state__in=["active", "retired"]),
    func="""
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'A version that was active once cannot be deleted.';
        END IF;
        IF (to_jsonb(NEW) - ARRAY['state', 'retired_at', 'change_note'])
           IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['state', 'retired_at', 'change_note']) THEN
            RAISE EXCEPTION 'The terms of a version that was active once cannot change.';
        END IF;
        RETURN NEW;
    """,
)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class PolicyVersion(Movable):
    """The terms of a policy at a time; immutable once active.

    `cap_percent` bounds what one subscription gets within one period, in percent of its fee for
    that period; `cap_amounts` bounds what one customer gets within one period. `minimum_amounts`
    is the least that is paid out. Amounts are {currency: minor units}.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("active")
        RETIRED = "retired", _("retired")

    class HitPolicy(models.TextChoices):
        FIRST = "first", _("the first row that fits")
        ALL = "all", _("all rows that fit, added up")

    class FeePeriod(models.TextChoices):
        MONTH = "month", _("calendar month")
        QUARTER = "quarter", _("calendar quarter")
        YEAR = "year", _("calendar year")
        BILLING = "billing", _("billing period")

    class Rounding(models.TextChoices):
        HALF_UP = "half_up", _("half up")
        HALF_EVEN = "half_even", _("half to even")
        DOWN = "down", _("down")
        UP = "up", _("up")

    MOVES: ClassVar = {
        State.DRAFT: frozenset({State.ACTIVE}),
        State.ACTIVE: frozenset({State.RETIRED}),
        State.RETIRED: frozenset(),
    }

    policy = models.ForeignKey(
        Policy, on_delete=models.PROTECT, related_name="versions", verbose_name=_("policy")
    )
    number = models.PositiveIntegerField(_("version"), editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.DRAFT, editable=False
    )
    hit_policy = models.CharField(
        _("which rows count"), max_length=10, choices=HitPolicy.choices, default=HitPolicy.FIRST
    )
    fee_period = models.CharField(
        _("period"), max_length=10, choices=FeePeriod.choices, default=FeePeriod.MONTH,
        help_text=_("Uptime, fee and caps are those of this period (UTC)."),
    )  # fmt: skip
    partial_weight = models.DecimalField(
        _("weight of partial outages"), max_digits=4, decimal_places=3, default=1,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )  # fmt: skip
    counts_maintenance = models.BooleanField(_("maintenance counts"), default=False)
    cap_percent = models.DecimalField(
        _("cap, percent of the fee"), max_digits=7, decimal_places=3, null=True, blank=True,
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    cap_amounts = models.JSONField(_("cap per customer"), default=dict, blank=True)
    minimum_amounts = models.JSONField(_("least paid out"), default=dict, blank=True)
    is_minimum_exclusive = models.BooleanField(
        _("more than the least"), default=False,
        help_text=_("An award of exactly the least amount is not paid out."),
    )  # fmt: skip
    rounding = models.CharField(
        _("rounding"), max_length=10, choices=Rounding.choices, default=Rounding.HALF_UP
    )
    change_note = models.TextField(_("what changed"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+",
        editable=False,
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        ordering = ["policy", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="policy_version_number"),
            models.UniqueConstraint(
                fields=["policy"], name="policy_one_active", condition=Q(state="active")
            ),
        ]
        permissions = [("activate_policyversion", "Can put a policy version into force")]
        triggers = [_FROZEN_VERSION]

    def __str__(self) -> str:
        return f"{self.policy} v{self.number}"

    @property
    def is_capped(self) -> bool:
        """Whether what was given elsewhere bounds what these terms give."""
        return self.cap_percent is not None or bool(self.cap_amounts)


_FROZEN_RULE = pgtrigger.Trigger(
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

    Uptime is in percent of the period, downtime in minutes; both as weighted by the version.
    """

    class Credit(models.TextChoices):
        NONE = "", _("none")
        PERCENT = "percent", _("percent of the fee")
        TIME_MULTIPLE = "time_multiple", _("multiple of the fee for the time lost")
        FIXED = "fixed", _("fixed amount")

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
        _("percent or multiple"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    credit_amounts = models.JSONField(_("fixed amounts"), default=dict, blank=True)
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
                condition=Q(uptime_to__isnull=True)
                | Q(uptime_from__isnull=True)
                | Q(uptime_to__gte=F("uptime_from")),
                name="rule_uptime_ordered",
                violation_error_message=_("Uptime from must not be above uptime to."),
            ),
        ]
        triggers = [_FROZEN_RULE]

    def __str__(self) -> str:
        return self.label or f"Row {self.position}"
