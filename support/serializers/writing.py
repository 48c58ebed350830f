"""What a request may say."""

from typing import Any

from rest_framework import serializers

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from backoffice.customers.models.customer import Language
from incidents.models import Incident
from support.models import Message, Queue
from support.models.ticket import Band, Status
from support.serializers.fields import Base64Field, Slug, TicketNumberField

LONGEST_TEXT = 100_000
MOST_FILES = 10


class FileSerializer(serializers.Serializer[Any]):
    """A file to attach."""

    name = serializers.CharField(max_length=255)
    content = Base64Field()


class WordsSerializer(serializers.Serializer[Any]):
    """The customer's further word, or a note among colleagues."""

    text = serializers.CharField(max_length=LONGEST_TEXT)
    attachments = FileSerializer(  # type: ignore[call-arg] # of the list that many=True makes
        many=True, required=False, max_length=MOST_FILES
    )


class OpeningSerializer(WordsSerializer):
    """A new ticket: of a known customer, or of anybody with an address."""

    subject = serializers.CharField(max_length=300)
    customer = Slug(
        "reference", queryset=Customer.objects.all(), required=False,
        help_text="The customer's reference.",
    )  # fmt: skip
    requester_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    requester_address = serializers.EmailField(max_length=320, required=False)
    language = serializers.ChoiceField(Language.choices, required=False)
    queue = Slug("slug", queryset=Queue.objects.filter(is_active=True), required=False)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, max_length=50
    )
    external_id = serializers.CharField(
        max_length=255, required=False, help_text="Your own id: sent twice, it opens one ticket."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("customer") and not attrs.get("requester_address"):
            raise serializers.ValidationError(
                {"customer": "Give a customer or a requester_address, or nobody can be answered."}
            )
        return attrs


class ReplySerializer(WordsSerializer):
    """An answer to the customer."""

    kind = serializers.ChoiceField(
        [Message.Kind.PUBLIC, Message.Kind.PRIVATE], default=Message.Kind.PUBLIC
    )
    status = serializers.ChoiceField(
        Status.choices, default=Status.WAITING, help_text="What the ticket becomes."
    )
    send_at = serializers.DateTimeField(required=False, help_text="Not before this time.")


class ChangeSerializer(serializers.Serializer[Any]):
    """What may be changed at once; what is not given stays. `reason` goes to the timeline."""

    status = serializers.ChoiceField(Status.choices, required=False)
    queue = Slug("slug", queryset=Queue.objects.all(), required=False)
    assignee = Slug(
        "email", queryset=User.objects.filter(is_staff=True, is_active=True), required=False,
        allow_null=True, help_text="An agent's e-mail address; null gives it back to the queue.",
    )  # fmt: skip
    subject = serializers.CharField(max_length=300, required=False)
    language = serializers.ChoiceField(Language.choices, required=False)
    band_floor = serializers.ChoiceField(Band.choices, required=False, allow_null=True)
    customer = Slug("reference", queryset=Customer.objects.all(), required=False)
    add_tags = serializers.ListField(child=serializers.CharField(), required=False, max_length=50)
    remove_tags = serializers.ListField(
        child=serializers.CharField(), required=False, max_length=50
    )
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class IncidentLinkSerializer(serializers.Serializer[Any]):
    """The incident that the ticket is about; null unlinks it."""

    incident = Slug("number", queryset=Incident.objects.all(), allow_null=True)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class ActionsSerializer(serializers.Serializer[Any]):
    """Actions as rules and macros have them, such as {"do": "add_tags", "tags": ["vip"]}."""

    actions = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=20)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class ParentSerializer(serializers.Serializer[Any]):
    """Another ticket."""

    into = TicketNumberField()
