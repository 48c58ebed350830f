"""The parts of the service, and which subscription uses which."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models.subscription import Subscription


class Component(models.Model):
    """A part of the service that can fail. `key` is what files and the API call it."""

    key = models.SlugField(_("key"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    group = models.CharField(_("group"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    is_public = models.BooleanField(_("shown to the public"), default=True)

    class Meta:
        verbose_name = _("component")
        verbose_name_plural = _("components")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class ComponentUse(models.Model):
    """One subscription uses one component: an outage of it hits the subscription."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="component_uses"
    )
    component = models.ForeignKey(
        Component, on_delete=models.PROTECT, related_name="uses", db_index=False
    )

    class Meta:
        verbose_name = _("component use")
        verbose_name_plural = _("component uses")
        constraints = [
            # This order, so that the index finds everyone an outage hits without the table.
            models.UniqueConstraint(
                fields=["component", "subscription"], name="component_use_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} uses {self.component}"
