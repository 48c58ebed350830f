"""Who had a person's data exported or erased, when and why."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer


class PrivacyRequest(models.Model):
    """One export or erasure of what is kept about a person. Rows are only ever added and finished.

    The person is the customer (whose row stays, emptied), or somebody of whom we only know an
    address. Of that a keyed hash stays, so that the record names nobody; the address itself only
    until it is finished, so that what was interrupted can go on.
    """

    class Kind(models.TextChoices):
        EXPORT = "export", _("export")
        ERASURE = "erasure", _("erasure")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("customer")
    )
    address = models.EmailField(max_length=320, blank=True, editable=False)
    address_hash = models.CharField(max_length=64, blank=True, db_index=True)
    # None: on the command line.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+",
        verbose_name=_("by"),
    )  # fmt: skip
    reason = models.TextField(_("reason"), blank=True)
    # What it covered, by kind of record; of an erasure also what was kept.
    figures = models.JSONField(_("figures"), default=dict)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    # None: it was interrupted, and doing it again finishes it.
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
