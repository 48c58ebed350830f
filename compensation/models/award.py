"""One benefit for one customer."""

from typing import ClassVar

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer, Subscription
from backoffice.states import Movable
from compensation.models.batch import Batch
from incidents.models import Cohort, Incident


class AwardState(models.TextChoices):
    """The way of an award."""

    PROPOSED = "proposed", _("proposed")
    EXCLUDED = "excluded", _("left out")
    APPROVED = "approved", _("approved")
    SENDING = "sending", _("sending")
    ISSUED = "issued", _("issued")
    FAILED = "failed", _("failed")
    UNKNOWN = "unknown", _("unknown")
    REVERSED = "reversed", _("reversed")


# From approval on an award binds us: it counts towards caps and forbids a second one.
BINDING = (AwardState.APPROVED, AwardState.SENDING, AwardState.ISSUED, AwardState.UNKNOWN)
# So does a credit of which something had been used when it was taken back: for that part.
BINDS = Q(state__in=BINDING) | Q(
    state=AwardState.REVERSED, reversed_minor__lt=models.F("amount_minor")
)


class Exclusion(models.TextChoices):
    """Why an award is left out."""

    NO_STRIPE_CUSTOMER = "no_stripe_customer", _("no Stripe customer")
    NO_STRIPE_SUBSCRIPTION = "no_stripe_subscription", _("no Stripe subscription")
    CANCELLED = "cancelled", _("cancelled since")
    OTHER_CURRENCY = "other_currency", _("Stripe bills in another currency")
    ALREADY_AWARDED = "already_awarded", _("already awarded in another batch")
    HELD_OUT = "held_out", _("held out to measure the effect")
    BY_HAND = "by_hand", _("left out by a person")


_PROMISE = (
    "batch_id", "incident_id", "customer_id", "subscription_id", "benefit", "amount_minor",
    "currency", "days", "trial_end_target", "destination", "source", "origin", "reason",
    "given_by_id",
)  # fmt: skip
# What was signed cannot change any more, whoever writes; state, key and answer still move.
_FROZEN_PROMISE = pgtrigger.Trigger(
    name="promise_is_frozen",
    operation=pgtrigger.Update,
    when=pgtrigger.Before,
    condition=pgtrigger.Condition(
        "OLD.state NOT IN ('proposed', 'excluded') AND NOT ("
        + " AND ".join(f"OLD.{name} IS NOT DISTINCT FROM NEW.{name}" for name in _PROMISE)
        + ")"
    ),
    func="RAISE EXCEPTION 'What an approved award promises cannot change.';",
)


@pghistory.track(
    pghistory.UpdateEvent(
        "exception",
        condition=pghistory.Q(
            new__state__in=[
                AwardState.EXCLUDED,
                AwardState.FAILED,
                AwardState.UNKNOWN,
                AwardState.REVERSED,
            ]
        )
        | pghistory.Q(old__state__in=[AwardState.EXCLUDED, AwardState.FAILED, AwardState.UNKNOWN]),
    ),
    fields=[
        "state",
        "exclusion",
        "exclusion_reason",
        "error_code",
        "error_message",
        "idempotency_key",
    ],
)
class Award(Movable):
    """One benefit for one customer, with everything its price was made from.

    `amount_minor` is in minor units of `currency` (0 where the benefit is no credit). What pricing
    read (fee, seconds, period, row) is frozen here, so that the sum can be explained for ever.
    The key, hash and time of a call are stored before the call is made.
    """

    class Benefit(models.TextChoices):
        CREDIT = "credit", _("credit")
        TRIAL = "trial", _("trial extension")
        PRIORITY = "priority", _("priority support")

    class Source(models.TextChoices):
        BATCH = "batch", _("batch")
        GOODWILL = "goodwill", _("goodwill")

    State = AwardState
    MOVES: ClassVar = {
        AwardState.PROPOSED: frozenset({AwardState.APPROVED, AwardState.EXCLUDED}),
        AwardState.EXCLUDED: frozenset({AwardState.PROPOSED}),
        AwardState.APPROVED: frozenset({AwardState.SENDING, AwardState.ISSUED, AwardState.FAILED}),
        AwardState.SENDING: frozenset(
            {AwardState.APPROVED, AwardState.ISSUED, AwardState.FAILED, AwardState.UNKNOWN}
        ),
        AwardState.UNKNOWN: frozenset(
            {AwardState.APPROVED, AwardState.SENDING, AwardState.ISSUED, AwardState.FAILED}
        ),
        AwardState.FAILED: frozenset({AwardState.APPROVED}),
        # back to unknown: Stripe turned out not to have it
        AwardState.ISSUED: frozenset({AwardState.REVERSED, AwardState.UNKNOWN}),
        AwardState.REVERSED: frozenset(),
    }

    source = models.CharField(max_length=10, choices=Source.choices, default=Source.BATCH)
    batch = models.ForeignKey(
        Batch,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="awards",
        db_index=False,
    )
    # incident, cohort and rule repeat what batch and exposure tell: a million rows need no check
    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, null=True, blank=True, related_name="awards",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    cohort = models.ForeignKey(
        Cohort, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="+",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="awards", verbose_name=_("customer")
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, blank=True, related_name="awards",
        verbose_name=_("subscription"),
    )  # fmt: skip
    benefit = models.CharField(_("benefit"), max_length=10, choices=Benefit.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=AwardState.choices, default=AwardState.PROPOSED
    )
    amount_minor = models.BigIntegerField(_("amount"), default=0)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    days = models.PositiveIntegerField(_("days"), default=0)
    # A trial's new end (absolute, UTC), computed once when priced.
    trial_end_target = models.DateTimeField(_("trial until"), null=True, blank=True)
    priority_until = models.DateTimeField(_("priority support until"), null=True, blank=True)

    # what the price was made from; `rules` are the positions of the rows that matched
    rules = ArrayField(models.PositiveSmallIntegerField(), default=list)
    plan = models.CharField(_("plan"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    fee_minor = models.BigIntegerField(null=True)
    interval_months = models.PositiveSmallIntegerField(null=True)
    major_seconds = models.PositiveBigIntegerField(default=0)
    partial_seconds = models.PositiveBigIntegerField(default=0)
    # Downtime as the policy counts it, of the outages that a row fits, floored; empty where that is
    # the weighed seconds above.
    downtime_ms = models.BigIntegerField(null=True)
    # What went into it: each outage's milliseconds (its length; as weighed and as counted, exact,
    # in texts), the share, other incidents of the period.
    counted = models.JSONField(null=True)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    # before caps and rounding, in minor units
    raw_amount = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    cap_minor = models.BigIntegerField(null=True)
    given_minor = models.BigIntegerField(default=0)

    # Goodwill: who gave it, from which ticket (its number), why in words the customer reads, and
    # why although their incident gives something already (for us alone).
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+",
        db_index=False,
    )  # fmt: skip
    origin = models.CharField(max_length=50, blank=True, default="", db_default="")
    reason = models.TextField(blank=True, default="", db_default="")
    despite = models.TextField(blank=True, default="", db_default="")
    # Given twice under one key, it is given once.
    given_key = models.CharField(max_length=100, blank=True, default="", db_default="")

    exclusion = models.CharField(max_length=30, choices=Exclusion.choices, blank=True)
    exclusion_reason = models.TextField(blank=True)
    excluded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+",
        db_index=False,
    )  # fmt: skip
    excluded_at = models.DateTimeField(null=True)
    # When a person took it back into a submitted batch: what was priced before did not count it.
    included_at = models.DateTimeField(null=True)

    # the call to Stripe
    # Its customer (credit) or subscription (trial), frozen when the batch is approved: what was
    # signed is what is sent, whatever the mirror says later.
    destination = models.CharField(max_length=255, blank=True, default="", db_default="")
    idempotency_key = models.CharField(max_length=255, blank=True)
    parameters_hash = models.CharField(max_length=64, blank=True)
    first_sent_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    stripe_id = models.CharField(max_length=255, blank=True)
    error_code = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    issued_at = models.DateTimeField(null=True)
    # What Stripe's subscription had as its trial's end just before ours was set (UTC).
    trial_end_before = models.DateTimeField(null=True)
    # Taken back so far; what is missing to `amount_minor` had been used and stays.
    reversed_minor = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(benefit="credit", amount_minor__gt=0) & ~Q(currency="")
                | ~Q(benefit="credit") & Q(amount_minor=0, days__gt=0),
                name="award_has_a_benefit",
            ),
            models.CheckConstraint(
                condition=Q(source="goodwill") | Q(batch__isnull=False, incident__isnull=False),
                name="award_of_a_batch_has_one",
            ),
            models.CheckConstraint(
                condition=~Q(source="goodwill") | Q(given_by__isnull=False) & ~Q(reason=""),
                name="award_of_goodwill_says_why",
            ),
            models.UniqueConstraint(
                fields=["given_key"], name="award_given_once", condition=~Q(given_key="")
            ),
            models.UniqueConstraint(
                fields=["batch", "subscription", "benefit"],
                name="award_once_in_batch",
                condition=Q(subscription__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["batch", "customer", "benefit"],
                name="award_once_in_batch_customer",
                condition=Q(subscription__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["incident", "subscription", "benefit"],
                name="award_once",
                condition=BINDS & Q(source="batch", subscription__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["incident", "customer", "benefit"],
                name="award_once_customer",
                condition=BINDS & Q(source="batch", subscription__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                name="award_key_once",
                condition=~Q(idempotency_key=""),
            ),
            # Key, hash and time are there before anything is sent.
            models.CheckConstraint(
                condition=~Q(state="sending")
                | (
                    ~Q(idempotency_key="") & ~Q(parameters_hash="") & Q(first_sent_at__isnull=False)
                ),
                name="award_sending_has_key",
            ),
            models.CheckConstraint(
                condition=Q(reversed_minor__gte=0, reversed_minor__lte=models.F("amount_minor")),
                name="award_reversed_within_amount",
            ),
        ]
        indexes = [
            models.Index(
                fields=["source", "batch", "id"],
                name="award_to_send",
                condition=Q(state__in=["approved", "sending"]),
            ),
            models.Index(
                fields=["batch", "state"],
                name="award_in_trouble",
                condition=Q(state__in=["failed", "unknown"]),
            ),
            models.Index(
                fields=["batch", "exclusion"],
                name="award_left_out",
                condition=Q(state="excluded"),
            ),
            # the calls under way: at most a few hundred
            models.Index(
                fields=["first_sent_at"], name="award_under_way", condition=Q(state="sending")
            ),
            # a few among millions
            models.Index(fields=["id"], name="award_goodwill", condition=Q(source="goodwill")),
        ]
        permissions = [
            ("exclude_award", "Can leave an award out of a batch"),
            ("retry_award", "Can send a failed award again"),
            ("decide_award", "Can decide what became of an award of unknown outcome"),
            ("give_goodwill", "Can give goodwill"),
        ]
        triggers = [_FROZEN_PROMISE]

    def __str__(self) -> str:
        return f"{self.get_benefit_display()} for {self.customer}"
