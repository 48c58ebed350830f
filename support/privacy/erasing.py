"""Erasing a person, in steps that each commit: what was interrupted goes on where it was.

First what they wrote, ticket by ticket; last what tells which tickets are theirs. So as long as
anything is left, it can still be found. Doing it again changes nothing.
"""

from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.privacy import empty_customer, empty_users
from compensation.authority import person_with
from support import signals
from support.models import PrivacyRequest
from support.privacy.figures import figures_of
from support.privacy.person import Person
from support.privacy.traces import (
    empty_claims,
    empty_messages_elsewhere,
    empty_raw_mail,
    empty_surveys,
    empty_ticket,
)

PERMISSION = "support.erase_person"


def erase_person(person: Person, *, by: User | None, reason: str) -> PrivacyRequest:
    """Empty what names the person; awards, ledger and the customer's reference stay.

    `by` is None on the command line. The record says who, when, why and how much.

    Raises:
        PermissionDenied.
        ValidationError: without a reason.
    """
    return resume_erasure(ask_erasure(person, by=by, reason=reason))


def ask_erasure(person: Person, *, by: User | None, reason: str) -> PrivacyRequest:
    """Store the order, so that a worker can do it. One that was interrupted is gone on with.

    Raises:
        PermissionDenied, ValidationError.
    """
    doer = person_with(by, PERMISSION) if by is not None else None
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: who asked for it, and when.")})
    begun = PrivacyRequest.objects.filter(
        kind=PrivacyRequest.Kind.ERASURE,
        customer=person.customer,
        address_hash=person.address_hash,
        finished_at=None,
    ).first()
    if begun is not None:
        return begun
    transaction.on_commit(partial(signals.erasures_asked.send, sender=PrivacyRequest))
    return PrivacyRequest.objects.create(
        kind=PrivacyRequest.Kind.ERASURE,
        customer=person.customer,
        address=person.address,
        address_hash=person.address_hash,
        by=doer,
        reason=reason.strip(),
        figures=figures_of(person).as_dict(),
    )


def resume_erasure(record: PrivacyRequest) -> PrivacyRequest:
    """Do what is left of an erasure."""
    if record.finished_at is not None:
        return record
    person = Person(customer=record.customer, address=record.address)
    for ticket in person.tickets().order_by("pk").iterator(200):
        empty_ticket(ticket, record)
    empty_raw_mail(person)
    empty_messages_elsewhere(person)
    empty_surveys(person)
    empty_claims(person)
    person.unconfirmed().delete()
    _empty_who(person, record)
    return record


def finish_erasures() -> int:
    """Go on with what was interrupted; how many were finished."""
    begun = PrivacyRequest.objects.filter(kind=PrivacyRequest.Kind.ERASURE, finished_at=None)
    return len([resume_erasure(record) for record in begun.order_by("pk")])


@transaction.atomic
def _empty_who(person: Person, record: PrivacyRequest) -> None:
    """Last: afterwards nothing tells any more which rows were theirs."""
    person.tickets().update(requester_name="", requester_address="", supposed_customer=None)
    empty_users(person.users())
    if person.customer is not None:
        empty_customer(person.customer)
    record.address = ""
    record.finished_at = timezone.now()
    record.save(update_fields=["address", "finished_at"])
