"""Tickets and the incident they are about, and one answer to all of them."""

from typing import ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.states import Movable
from incidents.models import Incident
from support.models.ticket import Ticket


class IncidentMatch(models.Model):
    """That a ticket may be about an incident, how sure that is, and what became of it.

    One row a pair. `confidence` is in thousandths; `evidence` holds the parts it was made from. A
    person's word stays as a label (`decided_by`): nothing is learnt from it silently, matching is
    measured by it.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        LINKED = "linked", _("linked")
        REJECTED = "rejected", _("rejected")

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="matches")
    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, related_name="ticket_matches", db_index=False
    )
    state = models.CharField(max_length=10, choices=State.choices)
    confidence = models.PositiveSmallIntegerField(null=True)
    evidence = models.JSONField(default=dict)
    # As the matcher left it, before any person's word.
    first_state = models.CharField(max_length=10, choices=State.choices, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("incident match")
        verbose_name_plural = _("incident matches")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "incident"], name="incident_match_once"),
            models.UniqueConstraint(
                fields=["ticket"], name="incident_match_one_linked", condition=Q(state="linked")
            ),
        ]
        indexes = [models.Index(fields=["incident", "state"], name="incident_match_state")]

    def __str__(self) -> str:
        return f"T-{self.ticket_id} and {self.incident_id}: {self.state}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class MassReply(Movable):
    """One answer to the tickets of an incident, in each customer's language, a row a recipient.

    `texts` by language, with the variables of macros; the English one stands in for a missing one.
    Written once, previewed, started by a person; a worker writes the messages in slices.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")

    MOVES: ClassVar = {
        State.DRAFT: frozenset({State.RUNNING, State.CANCELLED}),
        State.RUNNING: frozenset({State.PAUSED, State.DONE, State.CANCELLED}),
        State.PAUSED: frozenset({State.RUNNING, State.CANCELLED}),
        # for failed recipients that are tried again
        State.DONE: frozenset({State.RUNNING}),
        State.CANCELLED: frozenset(),
    }

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="mass_replies")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    texts = models.JSONField(_("text"), default=dict)
    solves = models.BooleanField(_("solves the tickets"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("mass reply")
        verbose_name_plural = _("mass replies")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.incident.number}, {self.get_state_display()}"


class MassReplyRecipient(models.Model):
    """One ticket's part in a mass reply; its message tells whether it arrived."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        WRITTEN = "written", _("written")
        EXCLUDED = "excluded", _("left out")
        FAILED = "failed", _("failed")

    class Exclusion(models.TextChoices):
        """What left it out; all but the first are found anew until the message is written."""

        BY_HAND = "by_hand", _("by hand")
        CLOSED = "closed", _("closed")
        SOLVED = "solved", _("solved already")
        UNANSWERABLE = "unanswerable", _("cannot be reached")
        ANSWERED = "answered", _("answered just now")
        UNLINKED = "unlinked", _("not about the incident")

    mass_reply = models.ForeignKey(MassReply, on_delete=models.CASCADE, related_name="recipients")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    exclusion = models.CharField(max_length=20, choices=Exclusion.choices, blank=True)
    excluded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Why it is left out or failed, in words.
    reason = models.CharField(max_length=500, blank=True)
    written_at = models.DateTimeField(null=True)
    message = models.ForeignKey(
        "support.Message", on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["mass_reply", "ticket"], name="recipient_once")
        ]
        indexes = [
            models.Index(fields=["mass_reply", "state", "id"], name="recipient_state"),
            models.Index(fields=["-written_at"], name="recipient_written"),
        ]

    def __str__(self) -> str:
        return f"T-{self.ticket_id}: {self.state}"
