"""A one-time link to a customer's account pages, and the visit it opens."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models.customer import Customer


class PortalSession(models.Model):
    """Handed out by the API; its link opens the account pages once, until it expires.

    Only hashes (SHA-256, hex) of the link's token and of the visit's cookie are kept.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="portal_sessions")
    token_hash = models.CharField(max_length=64, unique=True)
    visit_hash = models.CharField(max_length=64, blank=True, db_index=True)
    return_url = models.URLField(_("return address"), blank=True)
    created_by = models.CharField(_("made by"), max_length=200, help_text=_("The API key's name."))
    created_at = models.DateTimeField(auto_now_add=True)
    link_expires_at = models.DateTimeField()
    redeemed_at = models.DateTimeField(null=True, blank=True)
    visit_expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Portal session of {self.customer}"
