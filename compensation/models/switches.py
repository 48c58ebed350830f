"""Set by people: from which sum on two must approve, and whether anything is issued at all."""

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


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class IssuingControl(models.Model):
    """The one switch that stops all issuing: a single row, made by a migration."""

    is_stopped = models.BooleanField(_("stopped"), default=False)
    reason = models.TextField(_("reason"), blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("issuing")
        verbose_name_plural = _("issuing")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="issuing_control_single")]
        permissions = [("stop_issuing", "Can stop and resume all issuing")]

    def __str__(self) -> str:
        return "stopped" if self.is_stopped else "running"
