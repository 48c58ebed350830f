"""Everything that happened to a ticket."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from support.models.ticket import Ticket


class TicketEvent(models.Model):
    """One line of a ticket's timeline: what, who, when, why. Rows are only ever added.

    It is also the news that rules, webhooks, matching and assignment work from: an event waits with
    `processed_at` empty until `support.processing` has handled it. `data` tells the particulars,
    for a change as {"from": ..., "to": ...}; it holds no words of customers.
    """

    class Kind(models.TextChoices):
        OPENED = "opened", _("opened")
        MESSAGE_IN = "message_in", _("customer wrote")
        MESSAGE_OUT = "message_out", _("answered")
        NOTE = "note", _("noted")
        MESSAGE_CANCELLED = "message_cancelled", _("took an answer back")
        DELIVERY = "delivery", _("delivery")
        STATUS = "status", _("status")
        ASSIGNED = "assigned", _("assigned")
        QUEUE = "queue", _("queue")
        TAGS = "tags", _("tags")
        CHANGED = "changed", _("changed")
        PRIORITY = "priority", _("priority")
        INCIDENT_PROPOSED = "incident_proposed", _("incident proposed")
        INCIDENT_LINKED = "incident_linked", _("incident linked")
        INCIDENT_UNLINKED = "incident_unlinked", _("incident unlinked")
        MERGED = "merged", _("merged")
        SPLIT = "split", _("split")
        PARENT = "parent", _("parent")
        MACRO = "macro", _("macro")
        RULE = "rule", _("rule")
        GOODWILL = "goodwill", _("goodwill")
        SLA_WARNING = "sla_warning", _("deadline near")
        SLA_BREACH = "sla_breach", _("deadline missed")
        ESCALATED = "escalated", _("escalated")
        SURVEY = "survey", _("survey")
        ERASED = "erased", _("erased")

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="events", db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    data = models.JSONField(default=dict)
    # None: the system, or the customer (`MESSAGE_IN`).
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+",
        db_index=False,
    )  # fmt: skip
    reason = models.TextField(blank=True)
    at = models.DateTimeField()
    # How many rules led to this one; the guard against loops.
    depth = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True)
    # Why nothing could follow from it.
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("ticket event")
        verbose_name_plural = _("ticket events")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["ticket", "id"], name="ticket_event_ticket"),
            models.Index(
                fields=["id"], name="ticket_event_new", condition=Q(processed_at__isnull=True)
            ),
            models.Index(fields=["kind", "at"], name="ticket_event_kind"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="event_is_kept",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition(
                    "ROW(OLD.ticket_id, OLD.kind, OLD.data, OLD.reason, OLD.at) IS DISTINCT FROM"
                    " ROW(NEW.ticket_id, NEW.kind, NEW.data, NEW.reason, NEW.at)"
                ),
                func="RAISE EXCEPTION 'What happened to a ticket cannot be rewritten.';",
            )
        ]

    def __str__(self) -> str:
        return f"T-{self.ticket_id} {self.kind}"
