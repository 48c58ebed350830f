"""What Stripe sent, as it came, and what became of it."""

from typing import ClassVar

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.states import Movable


class EventState(models.TextChoices):
    """The way of an event."""

    WAITING = "waiting", _("waiting")
    HANDLED = "handled", _("handled")
    IGNORED = "ignored", _("ignored")
    PARKED = "parked", _("parked")


@pghistory.track(
    pghistory.UpdateEvent(
        "exception",
        condition=pghistory.Q(new__state=EventState.PARKED)
        | pghistory.Q(old__state=EventState.PARKED),
    ),
    fields=["state", "error"],
)
class StripeEvent(Movable):
    """One event of Stripe's, once, however often it was delivered.

    `body` is the first delivery's, byte for byte. `created_at` is Stripe's time, `received_at`
    ours. Only what is `waiting` is due, from `next_at` on; `attempts` counts those that began.
    """

    State = EventState
    MOVES: ClassVar = {
        EventState.WAITING: frozenset({EventState.HANDLED, EventState.IGNORED, EventState.PARKED}),
        EventState.PARKED: frozenset({EventState.WAITING, EventState.IGNORED}),
        EventState.HANDLED: frozenset(),
        EventState.IGNORED: frozenset(),
    }

    event_id = models.CharField(_("Stripe's id"), max_length=255, unique=True)
    kind = models.CharField(_("type"), max_length=100)
    # The object it tells of and whose it is, by Stripe's ids; empty where it does not say.
    object_id = models.CharField(_("object"), max_length=255, blank=True)
    customer_id = models.CharField(_("Stripe customer"), max_length=255, blank=True)
    # Of the request that caused it: our own calls are known by it.
    request_key = models.CharField(max_length=255, blank=True)
    body = models.BinaryField()
    created_at = models.DateTimeField(_("happened"))
    received_at = models.DateTimeField(_("received"))
    deliveries = models.PositiveIntegerField(_("deliveries"), default=1)
    state = models.CharField(
        _("state"), max_length=10, choices=EventState.choices, default=EventState.WAITING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt"))
    handled_at = models.DateTimeField(_("handled"), null=True)
    error = models.TextField(_("what went wrong"), blank=True)
    # Why it was ignored, or what was left out.
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="parked") | ~Q(error=""), name="stripe_event_parked_says_why"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at", "id"],
                name="stripe_event_waiting",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["id"], name="stripe_event_parked", condition=Q(state="parked")),
            models.Index(fields=["customer_id", "-id"], name="stripe_event_customer"),
        ]
        permissions = [("settle_stripeevent", "Can try parked events again or ignore them")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.event_id})"
