"""What is said in a ticket, and the files that come with it."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Customer
from backoffice.customers.models.customer import Language
from support.models.text import words_of
from support.models.ticket import Channel, Ticket


def attachment_storage() -> Any:
    """Outside the web root, or on S3-compatible storage: STORAGES["attachments"]."""
    return storages["attachments"]


class Message(models.Model):
    """One word in the conversation. It is never edited; erasing a person empties it.

    `public` is what everybody who may see the conversation sees, `private` goes to the same person
    on a closed channel (the answer to a public post), `internal` stays among colleagues. An
    outgoing one waits as `queued` until `send_at` (which gives time to undo, and is how sending is
    scheduled), then a worker claims and sends it. `text` is plain; `html` is sanitised.
    """

    class Kind(models.TextChoices):
        PUBLIC = "public", _("public")
        PRIVATE = "private", _("private")
        INTERNAL = "internal", _("internal")

    class Direction(models.TextChoices):
        IN = "in", _("from the customer")
        OUT = "out", _("to the customer")
        INSIDE = "inside", _("among colleagues")

    class Delivery(models.TextChoices):
        NONE = "none", _("nothing to send")
        QUEUED = "queued", _("waiting to be sent")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")
        BOUNCED = "bounced", _("came back")
        CANCELLED = "cancelled", _("taken back")

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    direction = models.CharField(_("direction"), max_length=10, choices=Direction.choices)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    # Who wrote it: staff, a customer, or only a name and an address. Neither: the system.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+",
        db_index=False,
    )  # fmt: skip
    customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    author_name = models.CharField(max_length=200, blank=True)
    author_address = models.CharField(max_length=320, blank=True)
    to = ArrayField(models.CharField(max_length=320), default=list, blank=True)
    cc = ArrayField(models.CharField(max_length=320), default=list, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField(_("text"))
    html = models.TextField(blank=True)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)
    # No person wrote it: an acknowledgement, an out-of-office answer, a bounce.
    is_automatic = models.BooleanField(default=False)
    # What of it could not be read, in words; the raw mail is kept.
    unreadable = models.CharField(max_length=300, blank=True)

    # RFC 5322, without the angle brackets; ours are given when the message is written.
    message_id = models.CharField(max_length=998, blank=True)
    in_reply_to = models.CharField(max_length=998, blank=True)

    delivery = models.CharField(
        _("delivery"), max_length=10, choices=Delivery.choices, default=Delivery.NONE
    )
    send_at = models.DateTimeField(null=True, blank=True)
    sending_since = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    delivery_error = models.CharField(max_length=500, blank=True)
    # Which mass reply wrote it.
    mass_reply = models.ForeignKey(
        "support.MassReply", on_delete=models.SET_NULL, null=True, related_name="messages",
        db_index=False,
    )  # fmt: skip
    # What to do with the ticket when this is sent on time: set status to.
    then_status = models.CharField(max_length=10, blank=True)
    # The composer's own key, so that what is sent twice is said once.
    key = models.CharField(max_length=64, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    search = models.GeneratedField(
        expression=words_of("text"), output_field=SearchVectorField(), db_persist=True
    )

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="internal") | Q(direction="inside", delivery="none"),
                name="message_internal_stays_inside",
            ),
            models.UniqueConstraint(
                fields=["mass_reply", "ticket"],
                name="message_once_per_mass_reply",
                condition=Q(mass_reply__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["ticket", "key"], name="message_key_once", condition=~Q(key="")
            ),
        ]
        indexes = [
            models.Index(fields=["ticket", "id"], name="message_ticket"),
            models.Index(
                fields=["send_at", "id"],
                name="message_to_send",
                condition=Q(delivery__in=["queued", "sending"]),
            ),
            models.Index(
                fields=["message_id"], name="message_message_id", condition=~Q(message_id="")
            ),
            GinIndex("search", name="message_words"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} in T-{self.ticket_id}"


class Attachment(models.Model):
    """A file of a message, or of a draft until that is sent. Served as a download only.

    `content_type` is what the file's own bytes say, not what its sender claims.
    """

    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    draft = models.ForeignKey(
        "support.Draft", on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text=_("In bytes."))
    sha256 = models.CharField(max_length=64)
    file = models.FileField(storage=attachment_storage, upload_to="%Y/%m/%d/", max_length=255)
    # Of an image inside an HTML mail.
    content_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Draft(models.Model):
    """What a colleague has begun to write in a ticket and not sent yet."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts"
    )
    kind = models.CharField(
        max_length=10, choices=Message.Kind.choices, default=Message.Kind.PUBLIC
    )
    text = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="draft_once")]

    def __str__(self) -> str:
        return f"{self.user} in T-{self.ticket_id}"


class Inbound(models.Model):
    """What came in by a channel, kept raw before anything is made of it.

    Stored and committed first, then handled by Celery; whatever a lost message or a killed worker
    leaves `new` is picked up by beat. `external_id` is the channel's own id (a mail's Message-ID,
    or one made of its contents), so that what is delivered twice is stored once.
    """

    class State(models.TextChoices):
        NEW = "new", _("new")
        HANDLED = "handled", _("handled")
        # Handled, but not as it should be: a ticket exists and says so.
        FAILED = "failed", _("failed")

    channel = models.CharField(max_length=10, choices=Channel.choices)
    # The mailbox, number or page it came to.
    account = models.CharField(max_length=320, blank=True)
    external_id = models.CharField(max_length=998)
    raw = models.BinaryField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    error = models.TextField(blank=True)
    # Counted before each, so that what kills its worker is not tried for ever.
    attempts = models.PositiveSmallIntegerField(default=0)
    # When the next attempt is due; None: at once.
    next_at = models.DateTimeField(null=True)
    ticket = models.ForeignKey(Ticket, on_delete=models.SET_NULL, null=True, related_name="inbound")
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, related_name="inbound"
    )
    received_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("received")
        verbose_name_plural = _("received")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "account", "external_id"], name="inbound_once"
            )
        ]
        indexes = [models.Index(fields=["id"], name="inbound_new", condition=Q(state="new"))]

    def __str__(self) -> str:
        return f"{self.channel} {self.external_id}"
