"""The ledger: rows that are only ever added."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice import money
from backoffice.customers.models import Customer
from compensation.models.award import Award

# What the first entry has before it.
GENESIS = "0" * 64


class LedgerEntry(models.Model):
    """One fact about money or a benefit. A trigger refuses to change or delete it.

    `amount_minor` is signed, in minor units of `currency`: positive is credit the customer gains,
    negative credit that was used or taken back; 0 where the benefit is no money. `hash` is the
    SHA-256 over the entry's fields and the hash of the entry before it.
    """

    class Kind(models.TextChoices):
        CREDIT = "credit", _("credit")
        TRIAL = "trial", _("trial extended")
        PRIORITY = "priority", _("priority support")
        REVERSAL = "reversal", _("reversal")
        CONSUMED = "consumed", _("used on an invoice")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="ledger_entries")
    award = models.ForeignKey(
        Award, on_delete=models.PROTECT, null=True, related_name="ledger_entries"
    )
    amount_minor = models.BigIntegerField(_("amount"), default=0)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    # Stripe's transaction, subscription or invoice.
    stripe_id = models.CharField(max_length=255, blank=True)
    note = models.TextField(blank=True)
    booked_at = models.DateTimeField(_("booked"))
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["previous_hash"], name="ledger_is_one_chain"),
            models.UniqueConstraint(
                fields=["award", "kind"],
                name="ledger_award_booked_once",
                condition=models.Q(kind__in=["credit", "trial", "priority"]),
            ),
            # What one of Stripe's transactions used of an award.
            models.UniqueConstraint(
                fields=["award", "stripe_id"],
                name="ledger_use_booked_once",
                condition=models.Q(kind="consumed") & ~models.Q(stripe_id=""),
            ),
        ]
        permissions = [("export_ledger", "Can export the ledger")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        kind = str(self.get_kind_display())
        if not self.amount_minor:
            return kind
        return f"{kind} {money.format_money(self.amount_minor, self.currency)}"
