"""A person's word on what a ticket is about. It is kept as a label, and nothing is learnt silently.

Whoever answers tickets may say it, and whoever answers all tickets of an incident.
"""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError
from incidents.models import Incident
from support.authority import worker_on
from support.models import IncidentMatch, Ticket, TicketEvent
from support.tickets import locked, shown
from support.timeline import new_event, record_events

State = IncidentMatch.State
Kind = TicketEvent.Kind
SLICE = 500


def linker_on(ticket: Ticket, by: Any) -> User | None:
    """`by`, if they may say what this ticket is about. None (the system) passes.

    Raises:
        PermissionDenied: neither answers tickets nor sends mass replies, or not in this queue.
    """
    try:
        return worker_on(ticket, by)
    except PermissionDenied:
        return worker_on(ticket, by, "support.send_mass_reply")


@transaction.atomic
def link(ticket: Ticket, incident: Incident, *, by: User | None, reason: str = "") -> IncidentMatch:
    """The ticket is about `incident`; from another it was linked to it is unlinked.

    Raises:
        PermissionDenied.
    """
    person = linker_on(ticket, by)
    row = locked(ticket)
    known = IncidentMatch.objects.filter(ticket=row, incident=incident).first()
    if known and known.state == State.LINKED and known.decided_at:
        return known
    if row.incident_id and row.incident_id != incident.pk:
        _say_no(row, row.incident_id, person)
    match, _made = IncidentMatch.objects.update_or_create(
        ticket=row, incident=incident, defaults=_word(State.LINKED, person)
    )
    _set_incident(row, incident.pk, Kind.INCIDENT_LINKED, person, reason, match.confidence)
    shown(ticket)
    return match


@transaction.atomic
def unlink(ticket: Ticket, *, by: User | None, reason: str = "") -> Ticket:
    """The ticket is not about the incident it is linked to.

    Raises:
        PermissionDenied.
        MoveError: it is linked to none (any more).
    """
    person = linker_on(ticket, by)
    row = locked(ticket)
    if row.incident_id is None:
        raise MoveError(_("This ticket is linked to no incident."))
    _say_no(row, row.incident_id, person)
    _set_incident(row, None, Kind.INCIDENT_UNLINKED, person, reason, None)
    return shown(ticket)


@transaction.atomic
def confirm(match: IncidentMatch, *, by: User | None) -> IncidentMatch:
    """The matcher is right: what it proposed is linked, what it linked has a person's word.

    Raises:
        PermissionDenied.
        MoveError: somebody said no meanwhile.
    """
    linker_on(match.ticket, by)
    locked(match.ticket)
    match.refresh_from_db()
    if match.state == State.REJECTED:
        raise MoveError(_("Somebody has just said that it is not about this incident."))
    return link(match.ticket, match.incident, by=by)


@transaction.atomic
def reject(match: IncidentMatch, *, by: User | None, reason: str = "") -> IncidentMatch:
    """The matcher is wrong; a link is taken away.

    Raises:
        PermissionDenied.
    """
    person = linker_on(match.ticket, by)
    row = locked(match.ticket)
    if row.incident_id == match.incident_id:
        unlink(match.ticket, by=by, reason=reason)
    else:
        _say_no(row, match.incident_id, person)
    match.refresh_from_db()
    return match


def link_many(
    tickets: Iterable[int], incident: Incident, *, by: User | None, reason: str = ""
) -> int:
    """Link those of the tickets that `by` may work on; how many were linked anew.

    Raises:
        PermissionDenied: `by` may link no ticket at all.
    """
    ids = sorted(set(tickets))
    return sum(
        _link_slice(ids[start : start + SLICE], incident, by, reason)
        for start in range(0, len(ids), SLICE)
    )


def confirm_above(incident: Incident, confidence: int, *, by: User | None) -> int:
    """Confirm all proposals of at least `confidence` that `by` may see; how many.

    A ticket linked to another incident meanwhile is left as it is.
    """
    proposed = IncidentMatch.objects.filter(
        incident=incident, state=State.PROPOSED, confidence__gte=confidence, ticket__incident=None
    )
    return link_many(proposed.values_list("ticket_id", flat=True), incident, by=by)


def unlink_many(tickets: Iterable[int], *, by: User | None, reason: str = "") -> int:
    """Unlink each of the tickets that is linked; how many were."""
    done = 0
    for ticket in Ticket.objects.filter(pk__in=set(tickets), incident__isnull=False):
        unlink(ticket, by=by, reason=reason)
        done += 1
    return done


@transaction.atomic
def _link_slice(ids: list[int], incident: Incident, by: User | None, reason: str) -> int:
    rows = list(
        _workable(by)
        .filter(pk__in=ids, merged_into=None)
        .exclude(incident=incident)
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    now = timezone.now()
    before = {row.pk: row.incident_id for row in rows}
    IncidentMatch.objects.filter(ticket__in=rows, state=State.LINKED).update(
        **_word(State.REJECTED, by)
    )
    IncidentMatch.objects.bulk_create(
        [IncidentMatch(ticket=row, incident=incident, **_word(State.LINKED, by)) for row in rows],
        update_conflicts=True,
        unique_fields=["ticket", "incident"],
        update_fields=["state", "decided_by", "decided_at"],
    )
    Ticket.objects.filter(pk__in=[row.pk for row in rows]).update(incident=incident, updated_at=now)
    record_events(
        [
            new_event(
                row.pk, Kind.INCIDENT_LINKED, by=by, reason=reason,
                change=(before[row.pk], incident.pk), incident=incident.pk,
            )
            for row in rows
        ]
    )  # fmt: skip
    return len(rows)


def _workable(by: User | None) -> Any:
    """The tickets that `by` may link.

    Raises:
        PermissionDenied: none.
    """
    if by is None:
        return Ticket.objects.all()
    if not (by.has_perm("support.answer_ticket") or by.has_perm("support.send_mass_reply")):
        raise PermissionDenied(_("You may not do this: it takes another role."))
    # by their keys: rows of a DISTINCT cannot be locked
    return Ticket.objects.filter(pk__in=Ticket.objects.seen_by(by).values("pk"))


def _word(state: str, person: User | None) -> dict[str, Any]:
    """A state with who decided it. The system's own word is no label."""
    now = timezone.now() if person else None
    return {"state": state, "decided_by": person, "decided_at": now}


def _say_no(row: Ticket, incident_id: int, person: User | None) -> None:
    IncidentMatch.objects.update_or_create(
        ticket=row, incident_id=incident_id, defaults=_word(State.REJECTED, person)
    )


def _set_incident(  # noqa: PLR0913, PLR0917 - what the event tells
    row: Ticket, incident_id: int | None, kind: str, person: User | None, reason: str,
    confidence: int | None,
) -> None:  # fmt: skip
    if row.incident_id == incident_id:
        # a link that the matcher made is confirmed: nothing changes but who said so
        return
    before = row.incident_id
    Ticket.objects.filter(pk=row.pk).update(incident_id=incident_id, updated_at=timezone.now())
    record_events(
        [
            new_event(
                row.pk, kind, by=person, reason=reason, change=(before, incident_id),
                incident=incident_id or before, confidence=confidence,
            )
        ]
    )  # fmt: skip
