"""Tickets and what belongs to them, as they are read."""

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from support.models import (
    Attachment,
    Goodwill,
    IncidentMatch,
    Macro,
    MassReply,
    Message,
    Queue,
    SlaPolicy,
    Survey,
    Ticket,
    TicketEvent,
)


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    """A ticket. `score_parts` tells what its score (0 to 100) was made of."""

    number = serializers.CharField(read_only=True)
    queue = serializers.CharField(source="queue.slug", read_only=True)
    assignee = serializers.EmailField(source="assignee.email", default=None, read_only=True)
    customer = serializers.CharField(source="customer.reference", default=None, read_only=True)
    incident = serializers.CharField(source="incident.number", default=None, read_only=True)
    merged_into = serializers.SerializerMethodField()
    parent = serializers.SerializerMethodField()  # type: ignore[assignment] # a field's name

    class Meta:
        model = Ticket
        fields = [
            "number",
            "subject",
            "status",
            "channel",
            "language",
            "queue",
            "assignee",
            "customer",
            "requester_name",
            "requester_address",
            "tags",
            "incident",
            "parent",
            "merged_into",
            "score",
            "band",
            "score_parts",
            "due_at",
            "first_response_due_at",
            "next_response_due_at",
            "resolution_due_at",
            "breaches",
            "unanswered_since",
            "first_response_at",
            "last_message_at",
            "solved_at",
            "closed_at",
            "reopened",
            "messages_count",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    def get_merged_into(self, ticket: Ticket) -> str | None:
        return f"T-{ticket.merged_into_id}" if ticket.merged_into_id else None

    def get_parent(self, ticket: Ticket) -> str | None:
        return f"T-{ticket.parent_id}" if ticket.parent_id else None


_AS_READ = TicketSerializer()


def ticket_as_read(ticket: Ticket) -> dict[str, Any]:
    """As TicketSerializer has it; its 31 fields are not made anew for each ticket."""
    shown: dict[str, Any] = _AS_READ.to_representation(ticket)
    return shown


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    """A file; `url` gives its bytes to a key that may read tickets."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = Attachment
        fields = ["id", "name", "content_type", "size", "sha256", "url"]

    def get_url(self, attachment: Attachment) -> str:
        return reverse(
            "attachment-detail", args=[attachment.pk], request=self.context.get("request")
        )


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A word in the conversation. `html` is sanitised."""

    author = serializers.SerializerMethodField()
    attachments = AttachmentSerializer(many=True, read_only=True)

    class Meta:
        model = Message
        fields = [
            "id",
            "kind",
            "direction",
            "channel",
            "author",
            "text",
            "html",
            "language",
            "is_automatic",
            "delivery",
            "delivery_error",
            "send_at",
            "sent_at",
            "attachments",
            "created_at",
        ]
        read_only_fields = fields

    def get_author(self, message: Message) -> str:
        """The colleague's or the customer's name."""
        return str(message.author or message.author_name or message.author_address)


class EventSerializer(serializers.ModelSerializer[TicketEvent]):
    """A line of the timeline; `by` is empty for the system and for the customer."""

    by = serializers.EmailField(source="by.email", default=None, read_only=True)

    class Meta:
        model = TicketEvent
        fields = ["id", "kind", "data", "by", "reason", "at"]


class QueueSerializer(serializers.ModelSerializer[Queue]):
    """A queue; its tickets are listed with `?queue=`."""

    class Meta:
        model = Queue
        fields = ["slug", "name", "is_default", "is_active", "assignment", "skills", "email"]


class MacroSerializer(serializers.ModelSerializer[Macro]):
    """A ready-made answer; applied by `POST /tickets/{number}/actions/`."""

    class Meta:
        model = Macro
        fields = ["id", "name", "texts", "condition", "actions", "kind", "is_active"]


class SlaPolicySerializer(serializers.ModelSerializer[SlaPolicy]):
    """Promises in minutes of the calendar's business time."""

    calendar = serializers.CharField(source="calendar.name", read_only=True)

    class Meta:
        model = SlaPolicy
        fields = [
            "id",
            "name",
            "position",
            "is_active",
            "condition",
            "calendar",
            "first_response_minutes",
            "next_response_minutes",
            "resolution_minutes",
        ]


class MatchSerializer(serializers.ModelSerializer[IncidentMatch]):
    """That a ticket may be about an incident; `confidence` in thousandths."""

    ticket = serializers.SerializerMethodField()
    incident = serializers.CharField(source="incident.number", read_only=True)
    decided_by = serializers.EmailField(source="decided_by.email", default=None, read_only=True)

    class Meta:
        model = IncidentMatch
        fields = [
            "id",
            "ticket",
            "incident",
            "state",
            "confidence",
            "evidence",
            "decided_by",
            "decided_at",
            "created_at",
        ]

    def get_ticket(self, match: IncidentMatch) -> str:
        return f"T-{match.ticket_id}"


class MassReplySerializer(serializers.ModelSerializer[MassReply]):
    """One answer to an incident's tickets. People write and start it in the admin."""

    incident = serializers.CharField(source="incident.number", read_only=True)
    recipients = serializers.SerializerMethodField(help_text="How many, by state.")

    class Meta:
        model = MassReply
        fields = [
            "id",
            "incident",
            "state",
            "texts",
            "solves",
            "recipients",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_recipients(self, reply: Any) -> dict[str, int]:
        return {
            state: getattr(reply, state) for state in ("waiting", "written", "excluded", "failed")
        }


class SurveySerializer(serializers.ModelSerializer[Survey]):
    """What was answered: CSAT 1 to 5, NPS 0 to 10."""

    ticket = serializers.SerializerMethodField()
    incident = serializers.CharField(source="incident.number", default=None, read_only=True)
    customer = serializers.CharField(source="customer.reference", default=None, read_only=True)

    class Meta:
        model = Survey
        fields = [
            "id",
            "kind",
            "ticket",
            "incident",
            "customer",
            "award",
            "score",
            "comment",
            "sent_at",
            "answered_at",
        ]

    def get_ticket(self, survey: Survey) -> str | None:
        return f"T-{survey.ticket_id}" if survey.ticket_id else None


class GoodwillSerializer(serializers.ModelSerializer[Goodwill]):
    """One gift. `state` is the award's; `batch` is where finance decided, null if nobody had to."""

    ticket = serializers.SerializerMethodField()
    award = serializers.IntegerField(source="award_id")
    customer = serializers.CharField(source="award.customer.reference")
    benefit = serializers.CharField(source="award.benefit")
    amount_minor = serializers.IntegerField(source="award.amount_minor")
    currency = serializers.CharField(source="award.currency")
    days = serializers.IntegerField(source="award.days")
    state = serializers.CharField(source="award.state")
    batch = serializers.CharField(source="award.batch.number", default=None, allow_null=True)
    batch_state = serializers.CharField(source="award.batch.state", default=None, allow_null=True)
    by = serializers.EmailField(source="by.email")

    class Meta:
        model = Goodwill
        fields = (
            "id",
            "ticket",
            "award",
            "customer",
            "benefit",
            "amount_minor",
            "currency",
            "days",
            "state",
            "batch",
            "batch_state",
            "reason",
            "despite",
            "by",
            "created_at",
        )
        read_only_fields = fields

    def get_ticket(self, given: Goodwill) -> str:
        return f"T-{given.ticket_id}"
