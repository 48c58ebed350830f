"""The customer and the people who speak for them."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from backoffice import money


class Language(models.TextChoices):
    """The languages we speak to customers in."""

    ENGLISH = "en", _("English")
    GERMAN = "de", _("German")
    RUSSIAN = "ru", _("Russian")


class Customer(models.Model):
    """A person or company that pays us. `reference` is the host product's own id of it."""

    reference = models.CharField(_("reference"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    language = models.CharField(
        _("language"), max_length=2, choices=Language.choices, default=Language.ENGLISH
    )
    country = models.CharField(
        _("country"), max_length=2, blank=True, help_text=_("ISO 3166, such as DE.")
    )
    segment = models.CharField(_("segment"), max_length=50, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    # At Stripe a customer has one currency; empty until the first subscription or credit.
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, validators=[money.validate_currency]
    )
    stripe_customer_id = models.CharField(
        _("Stripe customer"),
        max_length=255,
        unique=True,
        null=True,
        blank=True,
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [
            # The operator class serves beginnings (LIKE 'ada%') as well as equality.
            models.Index(OpClass(Lower("email"), "text_pattern_ops"), name="customer_email"),
            GinIndex(SearchVector("name", config="simple"), name="customer_name_words"),
            models.Index(fields=["-id"], name="customer_newest"),
        ]
        permissions = [("import_customers", "Can import customers from a file")]

    def __str__(self) -> str:
        return self.name or self.reference


class Contact(models.Model):
    """A user who may see one customer's account pages, and no other's.

    One made `by_email` (at sign-in, since the customer has the user's address) counts only while
    the customer has that address; one made by staff counts until it is taken away.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contact"
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts")
    by_email = models.BooleanField(_("by e-mail address"), default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.user} ({self.customer})"

    @property
    def counts(self) -> bool:
        """Whether the user may see the customer's pages now."""
        return not self.by_email or self.customer.email.lower() == self.user.email.lower()
