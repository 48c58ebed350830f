"""What is known about a ticket: tags, language, customer, lowest priority."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from support.authority import worker_on
from support.models import Ticket, TicketEvent
from support.models.ticket import Band
from support.tickets.locking import locked, shown
from support.timeline import record_event

LONGEST_TAG = 50
MOST_TAGS = 50


@transaction.atomic
def change_tags(
    ticket: Ticket,
    *,
    by: User | None,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    reason: str = "",
) -> Ticket:
    """Put tags on and take tags off, in lower case.

    Raises:
        PermissionDenied, ValidationError (a tag is too long, or there would be too many).
    """
    person = worker_on(ticket, by)
    row = locked(ticket)
    wanted = clean_tags([*row.tags, *add]) - clean_tags(remove)
    added, removed = sorted(wanted - set(row.tags)), sorted(set(row.tags) - wanted)
    if added and len(wanted) > MOST_TAGS:
        said = _("A ticket has at most %(most)s tags.") % {"most": MOST_TAGS}
        raise ValidationError({"tags": said})
    if added or removed:
        Ticket.objects.filter(pk=row.pk).update(tags=sorted(wanted), updated_at=timezone.now())
        record_event(
            row.pk, TicketEvent.Kind.TAGS, by=person, reason=reason, added=added, removed=removed
        )
    return shown(ticket)


@transaction.atomic
def change_ticket(  # noqa: PLR0913 - by keyword, most of them optional
    ticket: Ticket,
    *,
    by: User | None,
    reason: str = "",
    subject: str | None = None,
    language: str | None = None,
    band_floor: int | None = None,
    no_band_floor: bool = False,
) -> Ticket:
    """Correct the subject or the language, or say that the priority is at least a band.

    Raises:
        PermissionDenied, ValidationError.
    """
    person = worker_on(ticket, by)
    row = locked(ticket)
    wanted: dict[str, str | int | None] = {}
    if subject is not None:
        wanted["subject"] = subject.strip()
    if language is not None:
        wanted["language"] = language
    if band_floor is not None or no_band_floor:
        wanted["band_floor"] = None if no_band_floor else band_floor
    changes = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if changes:
        before = {name: getattr(row, name) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        row.clean_fields(exclude=[f.name for f in row._meta.fields if f.name not in changes])
        row.save(update_fields=[*changes, "updated_at"])
        kind = (
            TicketEvent.Kind.PRIORITY
            if set(changes) == {"band_floor"}
            else TicketEvent.Kind.CHANGED
        )
        record_event(row.pk, kind, by=person, reason=reason, change=(before, changes))
    return shown(ticket)


def raise_priority(ticket: Ticket, band: int, *, by: User | None, reason: str) -> Ticket:
    """See that the ticket is at least in `band`; one that is higher stays there."""
    if ticket.band_floor is not None and ticket.band_floor >= Band(band):
        return ticket
    return change_ticket(ticket, by=by, reason=reason, band_floor=band)


@transaction.atomic
def set_customer(ticket: Ticket, customer: Customer, *, by: User | None) -> Ticket:
    """Say who it is that asks, where the address alone did not tell.

    Raises:
        PermissionDenied.
    """
    person = worker_on(ticket, by)
    row = locked(ticket)
    before = row.customer_id
    if before != customer.pk:
        Ticket.objects.filter(pk=row.pk).update(customer=customer, updated_at=timezone.now())
        record_event(
            row.pk,
            TicketEvent.Kind.CHANGED,
            by=person,
            change=({"customer": before}, {"customer": customer.pk}),
        )
    return shown(ticket)


def clean_tags(tags: Iterable[str]) -> set[str]:
    """Tags as they are stored: trimmed, in lower case, none empty.

    Raises:
        ValidationError: one is too long.
    """
    cleaned = {tag.strip().lower() for tag in tags} - {""}
    if too_long := [tag for tag in cleaned if len(tag) > LONGEST_TAG]:
        raise ValidationError(
            {
                "tags": _("The tag “%(tag)s” is too long: at most %(most)s characters.")
                % {"tag": too_long[0][:60], "most": LONGEST_TAG}
            }
        )
    return cleaned
