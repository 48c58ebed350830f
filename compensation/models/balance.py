"""How far a customer's balance at Stripe has been read."""

from django.db import models
from django.db.models import Q

from backoffice.customers.models import Customer


class BalanceReading(models.Model):
    """One customer who got credit of us, and when to look next at what invoices took of it.

    `newest_id` is the newest of Stripe's transactions that was dealt with. `next_at` is None while
    nothing is left. `opened_by` is the ledger's newest credit entry that was taken notice of: the
    largest one of all rows is where the next look at the ledger begins.
    """

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    newest_id = models.CharField(max_length=255, blank=True)
    opened_by = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"], name="balance_reading_due", condition=Q(next_at__isnull=False)
            ),
            models.Index(fields=["-opened_by"], name="balance_reading_opened"),
        ]

    def __str__(self) -> str:
        return f"balance of {self.customer}"
