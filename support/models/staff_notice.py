"""What colleagues are told by e-mail."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from support.models.ticket import Ticket


class StaffNotice(models.Model):
    """One piece of news for one colleague: a rule fired, a deadline was missed, a webhook is off.

    It waits until it is sent; several that wait for one person go in one mail.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, null=True, related_name="+")
    text = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()

    class Meta:
        verbose_name = _("staff notice")
        verbose_name_plural = _("staff notices")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["next_at"], name="staff_notice_to_send", condition=Q(sent_at=None))
        ]

    def __str__(self) -> str:
        return self.text
