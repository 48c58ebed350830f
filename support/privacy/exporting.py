"""All that is kept about a person, as one file to give to them: JSON, and their files beside it."""

import json
import zipfile
from collections.abc import Iterable
from typing import Any, BinaryIO

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.customers.models import Subscription
from compensation.authority import person_with
from compensation.models import Award, Claim, LedgerEntry
from incidents.models import Exposure
from support.models import Attachment, Goodwill, PrivacyRequest
from support.privacy.figures import figures_of
from support.privacy.person import Person

PERMISSION = "support.export_person"
_TICKET = (
    "id", "subject", "status", "channel", "language", "requester_name", "requester_address", "tags",
    "created_at", "solved_at", "closed_at",
)  # fmt: skip
_MESSAGE = (
    "id", "ticket_id", "kind", "direction", "channel", "author_name", "author_address", "to", "cc",
    "subject", "text", "language", "created_at", "sent_at",
)  # fmt: skip
_CLAIM = (
    "id", "subscription_id", "component_id", "starts_at", "ends_at", "text", "state", "outcome",
    "incident_id", "ticket_number", "created_at", "decided_at",
)  # fmt: skip
_AWARD = (
    "id", "benefit", "state", "amount_minor", "currency", "days", "reason", "major_seconds",
    "partial_seconds", "period_start", "period_end", "issued_at", "stripe_id",
)  # fmt: skip


def export_person(person: Person, *, by: User | None, into: BinaryIO) -> PrivacyRequest:
    """Write a ZIP file: person.json, and the files and raw mails it names. Leaves a record.

    `by` is None on the command line.

    Raises:
        PermissionDenied.
    """
    doer = person_with(by, PERMISSION) if by is not None else None
    record = PrivacyRequest.objects.create(
        kind=PrivacyRequest.Kind.EXPORT,
        customer=person.customer,
        address_hash=person.address_hash,
        by=doer,
        figures=figures_of(person).as_dict(),
    )
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as package:
        told = json.dumps(_told(person), cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
        package.writestr("person.json", told)
        for attachment in person.attachments().order_by("pk").iterator(100):
            _add_file(package, attachment)
        for mail in person.inbound().order_by("pk").iterator(100):
            if mail.raw:
                package.writestr(f"mails/{mail.pk}.eml", bytes(mail.raw))
    record.finished_at = timezone.now()
    record.save(update_fields=["finished_at"])
    return record


def _told(person: Person) -> dict[str, Any]:
    customer = person.customer
    told: dict[str, Any] = {
        "exported_at": timezone.now(),
        "addresses": person.addresses(),
        "users": _rows(person.users(), "email", "full_name", "language", "time_zone", "last_login"),
        "tickets": _rows(person.tickets().order_by("pk"), *_TICKET),
        "messages": _rows(person.messages().order_by("pk"), *_MESSAGE),
        "messages_in_tickets_of_others": _rows(
            person.messages_elsewhere().filter(author_address__in=person.addresses()), *_MESSAGE
        ),
        "attachments": [
            {"message": file.message_id, "name": file.name, "size": file.size, "file": _path(file)}
            for file in person.attachments().order_by("pk")
        ],
        "surveys": _rows(
            person.surveys(), "kind", "ticket_id", "incident_id", "score", "comment", "answered_at"
        ),
        "unconfirmed_requests": _rows(
            person.unconfirmed(), "name", "address", "subject", "text", "created_at"
        ),
    }
    if customer is not None:
        told |= {
            "customer": _row(
                customer, "reference", "name", "email", "language", "country", "segment",
                "time_zone", "currency", "stripe_customer_id", "created_at",
            ),
            "subscriptions": _rows(
                Subscription.objects.filter(customer=customer), "reference", "plan", "status",
                "fee_minor", "currency", "interval_months", "region", "started_at", "ended_at",
            ),
            "outages": [
                {
                    "incident": one.incident.number,
                    "title": one.incident.title,
                    "major_seconds": one.major_seconds,
                    "partial_seconds": one.partial_seconds,
                }
                for one in Exposure.objects.filter(customer=customer).select_related("incident")
            ],
            "awards": _rows(Award.objects.filter(customer=customer).order_by("pk"), *_AWARD),
            "claims": _rows(
                Claim.objects.filter(customer=customer).order_by("pk"), *_CLAIM
            ),
            "goodwill": _rows(
                Goodwill.objects.filter(ticket__customer=customer), "ticket_id", "reason",
                "created_at",
            ),
            "ledger": _rows(
                LedgerEntry.objects.filter(customer=customer).order_by("pk"), "kind",
                "amount_minor", "currency", "booked_at", "note",
            ),
            "portal_sessions": _rows(
                customer.portal_sessions.order_by("pk"), "created_by", "created_at", "redeemed_at"
            ),
        }  # fmt: skip
    return told


def _rows(rows: Iterable[Model], *fields: str) -> list[dict[str, Any]]:
    return [_row(row, *fields) for row in rows]


def _row(row: Model, *fields: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in fields}


def _path(attachment: Attachment) -> str:
    return f"files/{attachment.pk}-{attachment.name}"


def _add_file(package: zipfile.ZipFile, attachment: Attachment) -> None:
    try:
        with attachment.file.open("rb") as content:
            package.writestr(_path(attachment), content.read())
    except FileNotFoundError:
        package.writestr(f"{_path(attachment)}.missing.txt", "This file is no longer there.")
