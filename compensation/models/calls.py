"""How issuing's calls to Stripe came out, counted."""

from django.db import models


class CallCount(models.Model):
    """One row an outcome; only ever counted up, by the one issuer."""

    outcome = models.CharField(max_length=30, unique=True)
    calls = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.outcome}: {self.calls}"
