"""Set by people: when two must approve, how much may be given, whether anything is issued."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice import money


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class ApprovalThreshold(models.Model):
    """A batch whose credits in `currency` add up to more than this needs a second approver."""

    currency = models.CharField(
        _("currency"), max_length=3, unique=True, validators=[money.validate_currency]
    )
    amount_minor = models.BigIntegerField(_("amount"), help_text=_("In minor units."))

    class Meta:
        verbose_name = _("second approver above")
        verbose_name_plural = _("second approver above")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="threshold_not_negative")
        ]

    def __str__(self) -> str:
        return money.format_money(self.amount_minor, self.currency)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Budget(models.Model):
    """How much credit may be given in `currency` (minor units): by one batch, or in a month (UTC).

    `month` is the first day of the month it is for; without one it is for every month that has
    none of its own.
    """

    class Span(models.TextChoices):
        BATCH = "batch", _("each batch")
        MONTH = "month", _("a month")

    span = models.CharField(_("for"), max_length=10, choices=Span.choices)
    month = models.DateField(_("month"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, validators=[money.validate_currency])
    amount_minor = models.BigIntegerField(_("amount"), help_text=_("In minor units."))

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        ordering = ["currency", "span", "-month"]
        constraints = [
            models.UniqueConstraint(
                fields=["span", "month", "currency"],
                name="budget_once",
                nulls_distinct=False,
                violation_error_message=_("There is a budget for this already: change that one."),
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="budget_not_negative"),
            models.CheckConstraint(
                condition=Q(span="month") | Q(month__isnull=True), name="budget_of_a_batch_has_none"
            ),
            models.CheckConstraint(
                condition=Q(month__isnull=True) | Q(month__day=1), name="budget_from_the_first"
            ),
        ]

    def __str__(self) -> str:
        amount = money.format_money(self.amount_minor, self.currency)
        return f"{amount}, {self.get_span_display()}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class IssuingControl(models.Model):
    """The one switch that stops all issuing: a single row, made by a migration."""

    is_stopped = models.BooleanField(_("stopped"), default=False)
    reason = models.TextField(_("reason"), blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)
    # When people were told of a stop that no person made; None until they were.
    told_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("issuing")
        verbose_name_plural = _("issuing")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="issuing_control_single")]
        permissions = [("stop_issuing", "Can stop and resume all issuing")]

    def __str__(self) -> str:
        return "stopped" if self.is_stopped else "running"
