"""What an agent may give of their own accord, and what they gave."""

import pghistory
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice import money
from compensation.models import Award, Batch
from support.models.ticket import Ticket


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class GoodwillLimit(models.Model):
    """How much a person, or everybody with a role, may give; a person's own limit goes first.

    Of credit: `per_ticket`, `per_day` (of one agent, UTC) and `per_customer` (in 365 days), in
    minor units of `currency`. Of trials and priority support: days, with an empty currency.
    """

    benefit = models.CharField(_("benefit"), max_length=10, choices=Award.Benefit.choices)
    role = models.ForeignKey(
        Group, on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("role"),
    )  # fmt: skip
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True,
        related_name="goodwill_limits", verbose_name=_("person"),
    )  # fmt: skip
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, validators=[money.validate_currency]
    )
    per_ticket = models.PositiveBigIntegerField(_("per ticket"))
    per_day = models.PositiveBigIntegerField(_("per day"))
    per_customer = models.PositiveBigIntegerField(_("per customer and year"))

    class Meta:
        verbose_name = _("goodwill limit")
        verbose_name_plural = _("goodwill limits")
        constraints = [
            models.CheckConstraint(
                condition=Q(role__isnull=True, user__isnull=False)
                | Q(role__isnull=False, user__isnull=True),
                name="goodwill_limit_of_role_or_person",
                violation_error_message=_("Give either a role or a person."),
            ),
            models.CheckConstraint(
                condition=Q(benefit="credit") & ~Q(currency="")
                | ~Q(benefit="credit") & Q(currency=""),
                name="goodwill_limit_currency_of_credit",
                violation_error_message=_("A limit of credit needs a currency, others have none."),
            ),
            models.UniqueConstraint(
                fields=["role", "user", "benefit", "currency"],
                name="goodwill_limit_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_benefit_display()}, {self.role or self.user}"


class Goodwill(models.Model):
    """What was given from a ticket: an award at once, or a batch that waits for finance."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="goodwill")
    award = models.OneToOneField(
        Award, on_delete=models.PROTECT, null=True, related_name="goodwill"
    )
    batch = models.OneToOneField(
        Batch, on_delete=models.PROTECT, null=True, related_name="goodwill"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # What the customer reads, and why in spite of what the incident gives.
    reason = models.TextField()
    despite = models.TextField(blank=True)
    # The form's own key: a second click gives nothing.
    key = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("goodwill")
        verbose_name_plural = _("goodwill")
        ordering = ["-id"]
        indexes = [models.Index(fields=["by", "created_at"], name="goodwill_of_agent")]

    def __str__(self) -> str:
        return f"T-{self.ticket_id}: {self.award or self.batch}"
