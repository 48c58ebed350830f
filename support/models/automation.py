"""What the desk does by itself: macros, rules, and news for other systems."""

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from support.models.event import TicketEvent
from support.models.queue import Queue
from support.models.ticket import Ticket


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Macro(models.Model):
    """A ready-made answer with what it does to the ticket.

    `texts` by language, with variables such as {{ customer.first_name }}; checked when saved.
    `condition` says for which tickets it is offered; `actions` are those of `support.actions`.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    texts = models.JSONField(_("text"), default=dict, blank=True)
    condition = models.TextField(_("offered when"), blank=True)
    actions = models.JSONField(_("actions"), default=list, blank=True)
    kind = models.CharField(_("kind"), max_length=10, default="public")
    is_active = models.BooleanField(_("active"), default=True)
    # Empty: everybody's.
    queues = models.ManyToManyField(
        Queue, verbose_name=_("queues"), related_name="macros", blank=True
    )
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("macro")
        verbose_name_plural = _("macros")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class AutomationRule(models.Model):
    """When something happens to a ticket (or so long after), and the condition fits: do this.

    On an event: each of `on_events` is a `TicketEvent.Kind`. On time: `after_minutes` after
    `after_field` (created_at, unanswered_since, last_message_at, solved_at, due_at), once a ticket
    and value of that field.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    on_events = ArrayField(
        models.CharField(max_length=20, choices=TicketEvent.Kind.choices),
        verbose_name=_("when"),
        default=list,
        blank=True,
    )
    after_field = models.CharField(_("after"), max_length=30, blank=True)
    after_minutes = models.PositiveIntegerField(_("minutes after"), null=True, blank=True)
    condition = models.TextField(_("if"), blank=True)
    actions = models.JSONField(_("then"), default=list)
    stops = models.BooleanField(_("no further rules after this one"), default=False)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class RuleRun(models.Model):
    """That a rule acted on a ticket, or why it could not."""

    rule = models.ForeignKey(AutomationRule, on_delete=models.CASCADE, related_name="runs")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="rule_runs")
    event = models.ForeignKey(TicketEvent, on_delete=models.CASCADE, null=True, related_name="+")
    # The value of `after_field` it ran for.
    moment = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("rule run")
        verbose_name_plural = _("rule runs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "event"], name="rule_run_once", condition=Q(event__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["rule", "ticket", "moment"],
                name="rule_run_once_in_time",
                condition=Q(moment__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} on T-{self.ticket_id}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    exclude=["secret", "former_secret", "former_until", "failures", "failing_since"],
)
class WebhookEndpoint(models.Model):
    """An address of another system's that is told what happens to tickets.

    Signed as Standard Webhooks has it (https://www.standardwebhooks.com); `on_events` are
    `TicketEvent.Kind`, none: all.
    """

    name = models.CharField(_("name"), max_length=100)
    url = models.URLField(_("address"), max_length=500)  # checked by support.webhooks.addresses
    secret = models.CharField(_("secret"), max_length=100, editable=False)
    on_events = ArrayField(
        models.CharField(max_length=20, choices=TicketEvent.Kind.choices),
        verbose_name=_("events"),
        default=list,
        blank=True,
    )
    is_active = models.BooleanField(_("active"), default=True)
    # The secret before the last change; both sign until then, so that nobody misses anything.
    former_secret = models.CharField(max_length=100, blank=True, editable=False)
    former_until = models.DateTimeField(null=True, editable=False)
    # Failures in a row and since when; it is switched off after long, and people are told.
    failures = models.PositiveIntegerField(_("failures"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+",
        editable=False,
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One event for one endpoint, with every attempt's outcome."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    event = models.ForeignKey(TicketEvent, on_delete=models.CASCADE, related_name="+")
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=1000, blank=True)
    error = models.CharField(max_length=500, blank=True)
    delivered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="webhook_delivery_once")
        ]
        indexes = [
            models.Index(fields=["next_at"], name="webhook_to_send", condition=Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return f"{self.endpoint}, event {self.event_id}"
