"""The places where a person's words and addresses stand, emptied one by one."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import pgtrigger
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q

from backoffice.customers.privacy import ERASED
from compensation.models import Claim
from support.models import (
    Attachment,
    Draft,
    Inbound,
    IncidentMatch,
    MassReplyRecipient,
    Message,
    PrivacyRequest,
    RuleRun,
    StaffNotice,
    Survey,
    Ticket,
    TicketEvent,
    WebhookDelivery,
)
from support.models.ticket import Status
from support.privacy.person import Person
from support.tickets import locked, move_ticket
from support.timeline import record_event

_EMPTY: dict[str, Any] = {
    "author_name": "",
    "author_address": "",
    "to": [],
    "cc": [],
    "subject": "",
    "text": ERASED,
    "html": "",
    "unreadable": "",
    "message_id": "",
    "in_reply_to": "",
    "delivery_error": "",
}


@transaction.atomic
def empty_ticket(ticket: Ticket, record: PrivacyRequest) -> None:
    """One ticket: words, files, notes, what was told of it. It is closed, and its sums stay.

    Whose it was stays on it until the whole erasure is done; a second time changes nothing.
    """
    row = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    empty_files(Attachment.objects.filter(Q(message__ticket=row) | Q(draft__ticket=row)))
    Draft.objects.filter(ticket=row).delete()
    left = Message.objects.filter(ticket=row).exclude(text=ERASED)
    is_done = row.subject == ERASED and not left.exists()
    _cancel_answers(row)
    Message.objects.filter(ticket=row).update(**_EMPTY)
    Ticket.objects.filter(pk=row.pk).update(subject=ERASED, requester_name="")
    _empty_beside(row)
    _empty_timeline(row)
    if not is_done:
        record_event(
            row.pk, TicketEvent.Kind.ERASED, by=record.by, reason="", privacy_request=record.pk
        )
        if row.status != Status.CLOSED and row.merged_into_id is None:
            move_ticket(locked(row), Status.CLOSED, by=record.by, reason="erased")


def empty_files(files: Iterable[Attachment]) -> None:
    """First the file, then its row: what was interrupted in between is found again."""
    for attachment in files:
        attachment.file.delete(save=False)
        attachment.delete()


def empty_raw_mail(person: Person) -> None:
    """The raw mail goes, and of its id a hash stays, so that it is not taken in anew."""
    for mail in person.inbound().exclude(raw=b"").order_by("pk").only("external_id").iterator(200):
        _empty_inbound(mail)
    for address in person.addresses():
        unread = Inbound.objects.filter(ticket=None, message=None).extra(
            where=["position(%s in lower(encode(raw, 'escape'))) > 0"], params=[address]
        )
        for mail in unread.order_by("pk").iterator(200):
            _empty_inbound(mail)


def empty_messages_elsewhere(person: Person) -> None:
    """In tickets of others: their own words go, and their address from among the receivers."""
    addresses = set(person.addresses())
    for message in person.messages_elsewhere().order_by("pk").iterator(200):
        if message.author_address.lower() in addresses:
            empty_files(message.attachments.all())
            Message.objects.filter(pk=message.pk).update(**_EMPTY)
            continue
        Message.objects.filter(pk=message.pk).update(
            to=[one for one in message.to if one.lower() not in addresses],
            cc=[one for one in message.cc if one.lower() not in addresses],
        )


def empty_surveys(person: Person) -> None:
    """The score stays, for sums; comment and address go."""
    Survey.objects.filter(pk__in=person.surveys().values("pk")).update(comment="", address="")


def empty_claims(person: Person) -> None:
    """What they said failed stays, for awards rest on it; their own words go, and notes on them."""
    if person.customer is not None:
        claims = Claim.objects.filter(customer=person.customer)
        claims.exclude(text="").update(text=ERASED)
        claims.exclude(note="").update(note=ERASED)
        events: Any = apps.get_model("compensation", "ClaimEvent")
        with pgtrigger.ignore("compensation.ClaimEvent:append_only"):
            events.objects.filter(pgh_obj__in=claims).exclude(note="").update(note=ERASED)


def _empty_inbound(mail: Inbound) -> None:
    known = f"erased:{sha256(mail.external_id.encode()).hexdigest()}"
    external_id = mail.external_id if mail.external_id.startswith("erased:") else known
    Inbound.objects.filter(pk=mail.pk).update(raw=b"", error="", external_id=external_id)


def _cancel_answers(row: Ticket) -> None:
    Message.objects.filter(ticket=row, delivery=Message.Delivery.QUEUED).update(
        delivery=Message.Delivery.CANCELLED
    )


def _empty_beside(row: Ticket) -> None:
    """What repeats words of the ticket: webhooks, matches, news for colleagues, the admin's log."""
    WebhookDelivery.objects.filter(event__ticket=row).update(payload={}, answer="", error="")
    for match in IncidentMatch.objects.filter(ticket=row):
        match.evidence = {
            "parts": [part | {"words": []} for part in match.evidence.get("parts", [])]
        }
        match.save(update_fields=["evidence"])
    StaffNotice.objects.filter(ticket=row).update(text=ERASED)
    RuleRun.objects.filter(ticket=row).update(error="")
    MassReplyRecipient.objects.filter(ticket=row).update(reason="")
    parts = {name: part for name, part in row.score_parts.items() if name != "words"}
    Ticket.objects.filter(pk=row.pk).update(score_parts=parts)
    kind = ContentType.objects.get_for_model(Ticket)
    LogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).update(
        object_repr=ERASED, change_message=""
    )


def _empty_timeline(row: Ticket) -> None:
    """What happened stays; subjects and the words people gave as a reason go."""
    rows = TicketEvent.objects.filter(ticket=row)
    with pgtrigger.ignore("support.TicketEvent:event_is_kept"):
        rows.exclude(by=None).exclude(reason="").update(reason="")
        for event in rows.filter(kind=TicketEvent.Kind.CHANGED):
            changed = {
                side: {name: value for name, value in told.items() if name != "subject"}
                for side in ("from", "to")
                if isinstance(told := event.data.get(side), dict)
            }
            TicketEvent.objects.filter(pk=event.pk).update(data=event.data | changed)
