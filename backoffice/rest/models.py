"""API keys with scopes, and what was answered to an idempotent request."""

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey


class Scope(models.TextChoices):
    """What a key may do. None of them approves or issues: that takes a person."""

    CUSTOMERS_READ = "customers:read", _("read customers")
    CUSTOMERS_WRITE = "customers:write", _("write customers, subscriptions and component use")
    INCIDENTS_READ = "incidents:read", _("read incidents")
    INCIDENTS_WRITE = "incidents:write", _("write incidents, outages and cohorts")
    POLICIES_READ = "policies:read", _("read policies")
    BATCHES_READ = "batches:read", _("read batches and awards")
    BATCHES_PROPOSE = "batches:propose", _("create, price and submit batches")
    CLAIMS_READ = "claims:read", _("read customers' claims")
    CLAIMS_PROPOSE = "claims:propose", _("claim for a customer")
    TICKETS_READ = "tickets:read", _("read tickets, their messages and surveys")
    TICKETS_WRITE = "tickets:write", _("open, answer and change tickets")
    PORTAL = "portal", _("hand out portal sessions, read a customer's credits")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), exclude=["hashed_key"])
class ApiKey(AbstractAPIKey):
    """A key of the host product's. Only its hash is kept; it is shown once, when made."""

    scopes = ArrayField(models.CharField(max_length=30, choices=Scope.choices), default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+",
        editable=False,
    )  # fmt: skip

    class Meta(AbstractAPIKey.Meta):
        verbose_name = _("API key")  # type: ignore[assignment]
        verbose_name_plural = _("API keys")  # type: ignore[assignment]


class IdempotentRequest(models.Model):
    """The first answer to a request with an Idempotency-Key, given again to its repetitions."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["api_key", "key"], name="idempotent_request_once")
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
