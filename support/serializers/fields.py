"""Fields of the API that name rows as people and other systems name them."""

import base64
import binascii
import re
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from support.models import Ticket

_NUMBER = re.compile(r"^T-([1-9]\d{0,17})$", re.IGNORECASE)


def ticket_id(number: str) -> int | None:
    """The row's key of “T-10482”; None where it is no ticket's number."""
    found = _NUMBER.match(number.strip())
    return int(found[1]) if found else None


class Slug(serializers.SlugRelatedField):  # type: ignore[type-arg]
    """A row by its name; says which one there is not."""

    default_error_messages = {"does_not_exist": "There is no {slug_name} “{value}”."}


@extend_schema_field(OpenApiTypes.STR)
class TicketNumberField(serializers.Field):  # type: ignore[type-arg]
    """A ticket by its number, T-10482."""

    default_error_messages = {"unknown": "There is no ticket “{value}”."}

    def to_internal_value(self, data: Any) -> Ticket:
        pk = ticket_id(str(data))
        ticket = Ticket.objects.filter(pk=pk).first() if pk else None
        if ticket is None:
            self.fail("unknown", value=str(data)[:40])
        return ticket

    def to_representation(self, value: Ticket) -> str:
        return value.number


@extend_schema_field(OpenApiTypes.BYTE)
class Base64Field(serializers.Field):  # type: ignore[type-arg]
    """A file's bytes, in base64."""

    default_error_messages = {
        "broken": "This is not base64.",
        "large": "A file can have at most {most} bytes.",
    }

    def to_internal_value(self, data: Any) -> bytes:
        try:
            content = base64.b64decode(str(data), validate=True)
        except (binascii.Error, ValueError):
            self.fail("broken")
        if len(content) > settings.ATTACHMENT_MAX_BYTES:
            self.fail("large", most=settings.ATTACHMENT_MAX_BYTES)
        return content

    def to_representation(self, value: bytes) -> str:
        return base64.b64encode(value).decode()
