"""What we owe for which exposure: policies and their versions."""

from decimal import Decimal
from typing import ClassVar

import pghistory
import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
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

    `cap_percent` bounds what one subscription gets within one period, in percent of the fee that
    credits are counted from (`fee_base`); `cap_amounts` bounds what one customer gets within one
    period, and `cap_days` the days of service that one subscription gets. `minimum_amounts` is the
    least that is paid out. Amounts are {currency: minor units}.

    What counts as downtime, in this order: outages (whatever a subscription lived through without
    a break, UTC) shorter than `shortest_minutes` are nothing; each second is weighed by impact
    (`partial_weight`) and by the share that was hit (`affected_share`); each outage is brought to
    whole intervals of `interval_minutes`. With the period `outage` each of them is priced by
    itself, with the fee, uptime and caps of the calendar month in which the incident began.
    `uptime_decimals` rounds uptime before rows compare it.

    A voluntary promise (`is_voluntary`) is a gift: a share of the customers hit can be held out of
    it, chosen by a stable hash, so that its effect can be measured. A contract holds nobody out.
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
        OUTAGE = "outage", _("each outage by itself")

    class FeeBase(models.TextChoices):
        PERIOD = "period", _("the fee of the period")
        MONTH = "month", _("one month's fee")

    class Basis(models.TextChoices):
        INCIDENT = "incident", _("this incident")
        PERIOD = "period", _("the period's total, less what was given for it")

    class Share(models.TextChoices):
        NONE = "", _("no: whoever was hit was hit wholly")
        CUSTOMERS = "customers", _("by the share of customers that were hit")
        REQUESTS = "requests", _("by the share of requests that failed")

    class IntervalRounding(models.TextChoices):
        COMPLETED = "completed", _("when it is completed")
        STARTED = "started", _("when it is started")
        NEAREST = "nearest", _("when half of it is reached")

    class UptimeRounding(models.TextChoices):
        HALF_UP = "half_up", _("half up")
        DOWN = "down", _("down")
        UP = "up", _("up")

    class Rounding(models.TextChoices):
        UNSAID = "", _("not said: half up")
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
    fee_base = models.CharField(
        _("credits are counted from"), max_length=10, choices=FeeBase.choices,
        default=FeeBase.PERIOD, db_default=FeeBase.PERIOD,
    )  # fmt: skip
    basis = models.CharField(
        _("what is priced"), max_length=10, choices=Basis.choices, default=Basis.INCIDENT,
        db_default=Basis.INCIDENT,
    )  # fmt: skip
    shortest_minutes = models.DecimalField(
        _("shortest outage that counts, minutes"), max_digits=9, decimal_places=3, null=True,
        blank=True, validators=[MinValueValidator(0)],
    )  # fmt: skip
    is_shortest_exclusive = models.BooleanField(
        _("longer than the shortest"), default=False, db_default=False,
        help_text=_("An outage of exactly the shortest length does not count."),
    )  # fmt: skip
    interval_minutes = models.DecimalField(
        _("downtime in whole intervals of, minutes"), max_digits=9, decimal_places=3, null=True,
        blank=True, validators=[MinValueValidator(Decimal("0.001"))],
    )  # fmt: skip
    interval_rounding = models.CharField(
        _("an interval counts"), max_length=10, choices=IntervalRounding.choices,
        default=IntervalRounding.COMPLETED, db_default=IntervalRounding.COMPLETED,
    )  # fmt: skip
    uptime_decimals = models.PositiveSmallIntegerField(
        _("decimals of uptime"), null=True, blank=True, validators=[MaxValueValidator(6)],
        help_text=_("Uptime in percent is rounded to so many before rows compare it."),
    )  # fmt: skip
    uptime_rounding = models.CharField(
        _("rounding of uptime"), max_length=10, choices=UptimeRounding.choices,
        default=UptimeRounding.HALF_UP, db_default=UptimeRounding.HALF_UP,
    )  # fmt: skip
    affected_share = models.CharField(
        _("downtime is weighed"), max_length=10, choices=Share.choices, default=Share.NONE,
        db_default=Share.NONE, blank=True,
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
    cap_days = models.PositiveIntegerField(
        _("cap, days of service"), null=True, blank=True, validators=[MinValueValidator(1)],
        help_text=_("The most days of service that one subscription gets in a period."),
    )  # fmt: skip
    minimum_amounts = models.JSONField(_("least paid out"), default=dict, blank=True)
    is_minimum_exclusive = models.BooleanField(
        _("more than the least"), default=False,
        help_text=_("An award of exactly the least amount is not paid out."),
    )  # fmt: skip
    rounding = models.CharField(
        _("rounding"), max_length=10, choices=Rounding.choices, default=Rounding.UNSAID,
        blank=True,
    )  # fmt: skip
    is_voluntary = models.BooleanField(
        _("voluntary"), default=False, db_default=False,
        help_text=_("A gift beyond what the contract promises."),
    )  # fmt: skip
    holdout_percent = models.DecimalField(
        _("held out, percent of customers"), max_digits=5, decimal_places=2, default=0,
        db_default=0, validators=[MinValueValidator(0), MaxValueValidator(50)],
        help_text=_("Of a voluntary promise: who gets nothing, to measure what it does."),
    )  # fmt: skip
    claim_days = models.PositiveIntegerField(
        _("claim window, days"), null=True, blank=True,
        help_text=_("How long after it a customer can claim to have been hit; empty: no claims."),
    )  # fmt: skip
    claim_window = models.CharField(
        _("claim window, as published"), max_length=500, blank=True, default="", db_default="",
    )  # fmt: skip
    # What lint found and a person accepted when this was put into force, and why.
    accepted_warnings = models.JSONField(default=list, blank=True, editable=False)
    acceptance_reason = models.TextField(blank=True, default="", db_default="", editable=False)
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
            models.CheckConstraint(
                condition=Q(holdout_percent=0) | Q(is_voluntary=True),
                name="policy_contract_holds_nobody_out",
                violation_error_message=_("A contract is owed to all: hold nobody out of it."),
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
