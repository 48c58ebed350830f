"""Where tickets wait, and who works there."""

from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models.customer import Language


def validate_time_zone(name: str) -> None:
    """Refuses what is no IANA time zone, such as Europe/Berlin."""
    if name not in available_timezones():
        raise ValidationError(
            _("“%(name)s” is no time zone: write Europe/Berlin, for one.") % {"name": name}
        )


class QueueQuerySet(models.QuerySet["Queue"]):
    """Sets of queues."""

    def seen_by(self, user: Any) -> "QueueQuerySet":
        """Those whose tickets `user` may see: theirs, and those without members."""
        if user.has_perm("support.see_all_queues"):
            return self
        return self.filter(Q(members=user) | Q(members=None)).distinct()


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Queue(models.Model):
    """A pool of tickets. Only its members, and those who see all queues, see its tickets.

    A queue without members is everybody's. `skills` are what an agent needs to be given its
    tickets by itself. `acknowledges` sends a first automatic answer to a new ticket.
    """

    class Assignment(models.TextChoices):
        MANUAL = "manual", _("agents take tickets")
        ROUND_ROBIN = "round_robin", _("in turn")
        LEAST_LOADED = "least_loaded", _("to whom has the fewest")

    name = models.CharField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(
        _("short name"), unique=True, help_text=_("As the API and rules say it.")
    )
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Where tickets go that nothing else directs.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    assignment = models.CharField(
        _("assignment"), max_length=20, choices=Assignment.choices, default=Assignment.MANUAL
    )
    skills = ArrayField(
        models.CharField(max_length=50), verbose_name=_("skills"), default=list, blank=True
    )
    acknowledges = models.BooleanField(_("acknowledges new tickets"), default=True)
    # The address that mails to this queue are sent to, and that its answers come from.
    email = models.EmailField(_("e-mail address"), blank=True)
    signature = models.TextField(_("signature"), blank=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("members"), related_name="queues", blank=True
    )

    objects = QueueQuerySet.as_manager()

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], name="queue_one_default", condition=Q(is_default=True)
            )
        ]
        permissions = [("see_all_queues", "Can see the tickets of every queue")]

    def __str__(self) -> str:
        return self.name


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Agent(models.Model):
    """What a member of staff brings to the desk.

    `capacity` is how many open tickets the desk gives them by itself. While away (from `away_from`
    until before `away_until`, UTC; no end: until further notice) they are given none, and their
    tickets go to the `stand_in` or back to the queue.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="agent",
        verbose_name=_("user"),
    )  # fmt: skip
    capacity = models.PositiveSmallIntegerField(_("capacity"), default=25)
    languages = ArrayField(
        models.CharField(max_length=2, choices=Language.choices),
        verbose_name=_("languages"),
        default=list,
        blank=True,
        help_text=_("Empty: all."),
    )
    skills = ArrayField(
        models.CharField(max_length=50), verbose_name=_("skills"), default=list, blank=True
    )
    takes_part = models.BooleanField(
        _("is given tickets"), default=True, help_text=_("Off: only takes tickets by hand.")
    )
    away_from = models.DateTimeField(_("away from"), null=True, blank=True)
    away_until = models.DateTimeField(_("away until"), null=True, blank=True)
    stand_in = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True,
        related_name="+", verbose_name=_("stand-in"),
    )  # fmt: skip
    # When the present absence's tickets were handed over; None: not yet, or nobody is away.
    handed_over_at = models.DateTimeField(null=True, editable=False)
    last_given_at = models.DateTimeField(null=True, editable=False)
    signature = models.TextField(_("signature"), blank=True)

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["user__email"]

    def __str__(self) -> str:
        return str(self.user)

    def is_away(self, at: datetime) -> bool:
        """Whether they are given nothing at that moment (UTC)."""
        if self.away_from is None or at < self.away_from:
            return False
        return self.away_until is None or at < self.away_until


class SavedView(models.Model):
    """A filtered queue page under a name: one's own, or shared with everybody.

    `query` is the page's query string as the change list reads it.
    """

    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=1000, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    is_shared = models.BooleanField(_("shared"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_view_once")]
        permissions = [("share_savedview", "Can share views of the queue page")]

    def __str__(self) -> str:
        return self.name
