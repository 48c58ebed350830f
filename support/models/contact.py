"""What somebody wrote on the public form and has not shown yet to be theirs."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models.customer import Language
from support.models.ticket import Ticket


class UnconfirmedRequest(models.Model):
    """A request from the public form that waits until its address is confirmed by a mailed link.

    For who has no JavaScript, and for what looks like a machine's. Forgotten when the link has
    expired; of the link's secret only the SHA-256 is kept.
    """

    # The form's own: a second click stores nothing.
    key = models.UUIDField(unique=True)
    token_hash = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200, blank=True)
    address = models.EmailField(max_length=320)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    language = models.CharField(max_length=2, choices=Language.choices)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    # When the mail with the link went out.
    sent_at = models.DateTimeField(null=True)
    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        verbose_name = _("unconfirmed request")
        verbose_name_plural = _("unconfirmed requests")

    def __str__(self) -> str:
        return f"{self.pk}"
