"""A customer's matter, from the first word to the last."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer
from backoffice.customers.models.customer import Language
from backoffice.states import Movable
from incidents.models import Incident
from support.models.queue import Queue
from support.models.text import words_of


class Status(models.TextChoices):
    """The states of a ticket, as any help desk has them."""

    NEW = "new", _("new")
    OPEN = "open", _("open")
    WAITING = "waiting", _("waiting on customer")
    ON_HOLD = "on_hold", _("on hold")
    SOLVED = "solved", _("solved")
    CLOSED = "closed", _("closed")


class Channel(models.TextChoices):
    """How the customer reached us; answers go back the same way."""

    EMAIL = "email", _("e-mail")
    WEB = "web", _("web")
    API = "api", _("API")
    WHATSAPP = "whatsapp", _("WhatsApp")
    TELEGRAM = "telegram", _("Telegram")
    SOCIAL = "social", _("social")
    STAFF = "staff", _("staff")


class Band(models.IntegerChoices):
    """Priority bands: what the score is cut into, so that order within one is by deadline."""

    LOW = 1, _("low")
    NORMAL = 2, _("normal")
    HIGH = 3, _("high")
    URGENT = 4, _("urgent")


# What an agent has to do something about.
ACTIVE = (Status.NEW, Status.OPEN)
# What waits for somebody else.
RESTING = (Status.WAITING, Status.ON_HOLD)
# What is not over yet.
UNSOLVED = (Status.NEW, Status.OPEN, Status.WAITING, Status.ON_HOLD)
_ANY = frozenset(Status)
# The order of work: the band, then the earliest deadline, then the oldest; as an index gives it.
WORK_ORDER = (F("band").desc(), F("due_at").asc(nulls_last=True), F("id").asc())


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Sets of tickets."""

    def active(self) -> "TicketQuerySet":
        return self.filter(status__in=ACTIVE)

    def unsolved(self) -> "TicketQuerySet":
        return self.filter(status__in=UNSOLVED)

    def seen_by(self, user: Any) -> "TicketQuerySet":
        """What `user` may see: their queues', those of queues without members, their own."""
        if not user.has_perm("support.view_ticket"):
            return self.none()
        if user.has_perm("support.see_all_queues"):
            return self
        return self.filter(queue__in=Queue.objects.seen_by(user))

    def in_order(self) -> "TicketQuerySet":
        return self.order_by(*WORK_ORDER)


class Ticket(Movable):
    """One matter of one person. Times are UTC; `number` is what people say to each other.

    The score (0 to 100), its band and the parts it was made from are stored by
    `support.priority`; the deadlines by `support.sla`. `due_at` is the earliest that is still
    open, None while the clocks rest. `unanswered_since` is when the customer began to wait for
    our next word, None while we wait for theirs.
    """

    Status = Status
    Channel = Channel
    Band = Band
    STATE_FIELD = "status"
    MOVES: ClassVar = {
        Status.NEW: _ANY - {Status.NEW},
        Status.OPEN: _ANY - {Status.NEW, Status.OPEN},
        Status.WAITING: _ANY - {Status.NEW, Status.WAITING},
        Status.ON_HOLD: _ANY - {Status.NEW, Status.ON_HOLD},
        Status.SOLVED: frozenset({Status.OPEN, Status.CLOSED}),
        # For good: a later word of the customer's opens a new ticket that points here.
        Status.CLOSED: frozenset(),
    }

    subject = models.CharField(_("subject"), max_length=300)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.NEW, editable=False
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    language = models.CharField(
        _("language"), max_length=2, choices=Language.choices, default=Language.ENGLISH
    )
    queue = models.ForeignKey(
        Queue, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("queue"),
        db_index=False,
    )  # fmt: skip
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True,
        related_name="tickets", verbose_name=_("assignee"), db_index=False,
    )  # fmt: skip
    assigned_at = models.DateTimeField(null=True, editable=False)
    # Who asks: a known customer, or only an address or an account of the channel's.
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="tickets",
        verbose_name=_("customer"), db_index=False,
    )  # fmt: skip
    # Who it may be: written on the public form with a customer's address that nobody has proven.
    # Becomes `customer` when they answer our mail or say so on their account page.
    supposed_customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        editable=False, db_index=False,
    )  # fmt: skip
    requester_name = models.CharField(_("requester"), max_length=200, blank=True)
    requester_address = models.CharField(
        _("address"), max_length=320, blank=True, help_text=_("E-mail address or account.")
    )
    tags = ArrayField(
        models.CharField(max_length=50), verbose_name=_("tags"), default=list, blank=True
    )
    incident = models.ForeignKey(
        Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets",
        verbose_name=_("incident"), db_index=False,
    )  # fmt: skip
    # Set when merged: everything goes on there.
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged",
        editable=False, db_index=False,
    )  # fmt: skip
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children",
        db_index=False,
    )  # fmt: skip

    # support.priority
    score = models.PositiveSmallIntegerField(_("score"), default=0, editable=False)
    band = models.PositiveSmallIntegerField(
        _("priority"), choices=Band.choices, default=Band.NORMAL, editable=False
    )
    # At least this band, set by a person, a rule or an escalation; None: the score alone.
    band_floor = models.PositiveSmallIntegerField(choices=Band.choices, null=True, blank=True)
    score_parts = models.JSONField(default=dict, editable=False)
    # From the words of the customer's messages, -100 (angry) to 100; `support.priority.words`.
    sentiment = models.SmallIntegerField(default=0, editable=False)

    # support.sla
    sla_policy = models.ForeignKey(
        "support.SlaPolicy", on_delete=models.SET_NULL, null=True, blank=True,
        related_name="tickets", verbose_name=_("SLA policy"), editable=False,
    )  # fmt: skip
    due_at = models.DateTimeField(_("due"), null=True, editable=False)
    first_response_due_at = models.DateTimeField(null=True, editable=False)
    next_response_due_at = models.DateTimeField(null=True, editable=False)
    resolution_due_at = models.DateTimeField(null=True, editable=False)
    # When the clocks were last read, and when a warning or a breach is to be told next.
    clocks_at = models.DateTimeField(null=True, editable=False)
    alarm_at = models.DateTimeField(null=True, editable=False)
    # For which deadline a warning or a breach was last told.
    warned_for = models.DateTimeField(null=True, editable=False)
    breached_for = models.DateTimeField(null=True, editable=False)
    breaches = models.PositiveSmallIntegerField(_("missed promises"), default=0, editable=False)

    unanswered_since = models.DateTimeField(null=True, editable=False)
    first_response_at = models.DateTimeField(null=True, editable=False)
    last_message_at = models.DateTimeField(null=True, editable=False)
    solved_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    reopened = models.PositiveSmallIntegerField(_("reopened"), default=0, editable=False)
    messages_count = models.PositiveIntegerField(default=0, editable=False)
    # A request's own key, so that one sent twice opens one ticket.
    external_id = models.CharField(
        max_length=255, unique=True, null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    search = models.GeneratedField(
        expression=words_of("subject"), output_field=SearchVectorField(), db_persist=True
    )

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(score__lte=100), name="ticket_score_to_100"),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="ticket_not_merged_into_itself"
            ),
        ]
        # Every change of a ticket writes into all indexes that have it: few tickets in each.
        indexes = [
            models.Index(fields=["parent"], name="ticket_parent", condition=~Q(parent=None)),
            models.Index(
                fields=["merged_into"], name="ticket_merged", condition=~Q(merged_into=None)
            ),
            models.Index(*WORK_ORDER, name="ticket_work", condition=Q(status__in=ACTIVE)),
            models.Index(
                *WORK_ORDER,
                name="ticket_free",
                condition=Q(status__in=ACTIVE, assignee__isnull=True),
            ),
            # What an agent takes next: only from their queues, in their languages.
            models.Index(
                "queue",
                "language",
                *WORK_ORDER,
                name="ticket_next",
                condition=Q(status__in=ACTIVE, assignee__isnull=True),
            ),
            # What is included lets them be counted without a look at the tickets.
            models.Index(
                "assignee",
                *WORK_ORDER,
                name="ticket_mine",
                include=["queue", "status"],
                condition=Q(status__in=UNSOLVED),
            ),
            models.Index("queue", *WORK_ORDER, name="ticket_queue", condition=Q(status__in=ACTIVE)),
            models.Index(
                "incident", F("id").desc(), name="ticket_incident", condition=~Q(incident=None)
            ),
            models.Index(
                "incident",
                *WORK_ORDER,
                name="ticket_incident_work",
                condition=Q(status__in=ACTIVE, incident__isnull=False),
            ),
            models.Index(
                *WORK_ORDER,
                name="ticket_resting",
                include=["queue"],
                condition=Q(status__in=RESTING),
            ),
            models.Index("customer", F("id").desc(), name="ticket_customer"),
            models.Index("requester_address", F("id").desc(), name="ticket_address"),
            models.Index(
                fields=["supposed_customer"],
                name="ticket_supposed",
                condition=~Q(supposed_customer=None),
            ),
            models.Index("status", F("id").desc(), name="ticket_status"),
            models.Index("due_at", name="ticket_due", condition=~Q(due_at=None)),
            # for surveys: those solved lately, among millions
            models.Index("solved_at", name="ticket_solved", condition=~Q(solved_at=None)),
            models.Index("alarm_at", name="ticket_alarm", condition=~Q(alarm_at=None)),
            models.Index(F("created_at").desc(), name="ticket_created"),
            GinIndex("search", name="ticket_words"),
            GinIndex("tags", name="ticket_tags"),
        ]
        permissions = [
            ("answer_ticket", "Can answer, note, assign and solve tickets"),
            ("merge_ticket", "Can merge and split tickets"),
            ("send_mass_reply", "Can answer all tickets of an incident at once"),
            ("see_reports", "Can see the desk's reports"),
            ("export_person", "Can export what is kept about a person"),
            ("erase_person", "Can erase what is kept about a person"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.subject}"

    @property
    def number(self) -> str:
        """What people say and write: T-10482."""
        return f"T-{self.pk}"
