"""Tickets in the API. A key acts as the system does: its name stands in the timeline."""

from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer, ValidationError
from rest_framework.viewsets import GenericViewSet

from backoffice.rest.idempotency import idempotent
from backoffice.rest.models import Scope
from support import matching, tickets
from support.actions import check_actions, perform
from support.attachments import store_attachment
from support.filters import TicketFilter
from support.models import Attachment, Message, Ticket
from support.models.ticket import Channel
from support.serializers import reading, writing
from support.serializers.fields import ticket_id

READ, WRITE = Scope.TICKETS_READ, Scope.TICKETS_WRITE


class TicketViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Ticket]):
    """Tickets by number, the newest first."""

    scopes = {
        "list": READ,
        "retrieve": READ,
        "events": READ,
        "messages": READ,
        "create": WRITE,
        "partial_update": WRITE,
        "add_message": WRITE,
        "reply": WRITE,
        "note": WRITE,
        "merge": WRITE,
        "incident": WRITE,
        "actions": WRITE,
    }
    serializer_class = reading.TicketSerializer
    filterset_class = TicketFilter
    lookup_url_kwarg = "number"
    lookup_value_regex = r"[Tt]-\d{1,18}"
    queryset = Ticket.objects.select_related("queue", "assignee", "customer", "incident")

    def get_object(self) -> Ticket:
        ticket = self.get_queryset().filter(pk=ticket_id(self.kwargs["number"]) or 0).first()
        if ticket is None:
            raise Http404
        return ticket

    @extend_schema(request=writing.OpeningSerializer, responses={201: reading.TicketSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Open a ticket with the customer's first words."""
        data = self.valid(writing.OpeningSerializer)
        files = data.pop("attachments", [])
        with transaction.atomic(savepoint=bool(files)):
            ticket = tickets.open_ticket(channel=Channel.API, **data)
            if files:
                first = ticket.messages.earliest("id")
                if not first.attachments.exists():
                    _attach(first, files)
        return Response(reading.ticket_as_read(ticket), status=status.HTTP_201_CREATED)

    @extend_schema(request=writing.ChangeSerializer, responses=reading.TicketSerializer)
    def partial_update(self, request: Request, number: str) -> Response:
        """Change what is given, all of it or nothing."""
        ticket = self.get_object()
        change(ticket, self.valid(writing.ChangeSerializer), reason=self.reason())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses=reading.MessageSerializer(many=True))
    @action(detail=True, methods=["get"])
    def messages(self, request: Request, number: str) -> Response:
        """What was said, the newest first, notes among colleagues too."""
        said = self.get_object().messages.select_related("author").prefetch_related("attachments")
        return self.page(said, reading.MessageSerializer)

    @extend_schema(request=writing.WordsSerializer, responses={201: reading.MessageSerializer})
    @messages.mapping.post
    @idempotent
    def add_message(self, request: Request, number: str) -> Response:
        """The customer's further word."""
        data = self.valid(writing.WordsSerializer)
        with transaction.atomic():
            message = tickets.receive_message(
                self.get_object(), text=data["text"], channel=Channel.API
            )
            _attach(message, data.get("attachments", []))
        return self.said(message)

    @extend_schema(request=writing.ReplySerializer, responses={201: reading.MessageSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def reply(self, request: Request, number: str) -> Response:
        """Answer the customer; it goes out by the ticket's channel."""
        data = self.valid(writing.ReplySerializer)
        with transaction.atomic():
            message = tickets.reply(
                self.get_object(),
                by=None,
                text=data["text"],
                kind=data["kind"],
                then_status=data["status"],
                send_at=data.get("send_at"),
                author_name=self.key_name(),
            )
            _attach(message, data.get("attachments", []))
        return self.said(message)

    @extend_schema(request=writing.WordsSerializer, responses={201: reading.MessageSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def note(self, request: Request, number: str) -> Response:
        """A word among colleagues."""
        data = self.valid(writing.WordsSerializer)
        with transaction.atomic():
            message = tickets.add_note(self.get_object(), by=None, text=data["text"])
            Message.objects.filter(pk=message.pk).update(author_name=self.key_name())
            _attach(message, data.get("attachments", []))
        return self.said(message)

    @extend_schema(request=writing.ParentSerializer, responses=reading.TicketSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, number: str) -> Response:
        """Go on in another ticket of the same customer; this one is closed."""
        data = self.valid(writing.ParentSerializer)
        tickets.merge_ticket(self.get_object(), into=data["into"], by=None, reason=self.reason())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=writing.IncidentLinkSerializer, responses=reading.TicketSerializer)
    @action(detail=True, methods=["post"])
    def incident(self, request: Request, number: str) -> Response:
        """Say which incident it is about, or none. Kept as a word of the key's, not a guess."""
        ticket, data = self.get_object(), self.valid(writing.IncidentLinkSerializer)
        if data["incident"] is None:
            matching.unlink(ticket, by=None)
        else:
            matching.link(ticket, data["incident"], by=None, reason=self.reason())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=writing.ActionsSerializer, responses=reading.TicketSerializer)
    @action(detail=True, methods=["post"])
    def actions(self, request: Request, number: str) -> Response:
        """Do what rules and macros can do, all of it or nothing."""
        asked = self.valid(writing.ActionsSerializer)["actions"]
        try:
            check_actions(asked, without=frozenset({"me"}))
            perform(asked, self.get_object(), by=None, reason=self.reason())
        except ModelError as error:
            raise ValidationError({"actions": error.messages}) from error
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses=reading.EventSerializer(many=True))
    @action(detail=True, methods=["get"])
    def events(self, request: Request, number: str) -> Response:
        """All that happened, the newest first."""
        return self.page(self.get_object().events.select_related("by"), reading.EventSerializer)

    def valid(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        return data

    def page(self, rows: QuerySet[Any], serializer_class: type[Serializer[Any]]) -> Response:
        page = self.paginate_queryset(rows)
        serializer = serializer_class(page, many=True, context=self.get_serializer_context())
        return self.get_paginated_response(serializer.data)

    def said(self, message: Message) -> Response:
        serializer = reading.MessageSerializer(message, context=self.get_serializer_context())
        message.refresh_from_db()
        return Response(serializer.data, status=status.HTTP_201_CREATED)

    def key_name(self) -> str:
        """Who did it, where no person did."""
        return str(getattr(self.request.auth, "name", ""))[:200]

    def reason(self) -> str:
        sent: Any = self.request.data
        given = str(sent.get("reason", "")) if isinstance(sent, dict) else ""
        return f"{given} (API key {self.key_name()})".strip()


@transaction.atomic
def change(ticket: Ticket, data: dict[str, Any], *, reason: str) -> None:
    """Every change by its own verb; the first that is refused takes all back."""
    how: dict[str, Any] = {"by": None, "reason": reason}
    if "customer" in data:
        tickets.set_customer(ticket, data["customer"], by=None)
    if "queue" in data:
        tickets.set_queue(ticket, data["queue"], **how)
    if "assignee" in data:
        tickets.assign(ticket, data["assignee"], **how)
    if data.get("add_tags") or data.get("remove_tags"):
        tickets.change_tags(
            ticket, add=data.get("add_tags", ()), remove=data.get("remove_tags", ()), **how
        )
    facts: dict[str, Any] = {name: data[name] for name in ("subject", "language") if name in data}
    if "band_floor" in data:
        floor = data["band_floor"]
        facts |= {"no_band_floor": True} if floor is None else {"band_floor": int(floor)}
    if facts:
        tickets.change_ticket(ticket, **facts, **how)
    if "status" in data:
        tickets.set_status(ticket, data["status"], **how)


class AttachmentViewSet(GenericViewSet[Attachment]):
    """A file's bytes, always as a download."""

    scopes = {"retrieve": READ}
    queryset = Attachment.objects.exclude(message=None)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def retrieve(self, request: Request, pk: str) -> FileResponse:
        attachment = self.get_object()
        return FileResponse(
            attachment.file.open("rb"),
            as_attachment=True,
            filename=attachment.name,
            content_type="application/octet-stream",
        )


def _attach(message: Message, files: list[dict[str, Any]]) -> None:
    for file in files:
        store_attachment(file["name"], file["content"], message=message)
