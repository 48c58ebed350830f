"""Who is told of a deadline, and in which words."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from support.models import SlaPolicy, TicketEvent
from support.sla.clocks import ClockName, Reading
from support.staff_notices import notify


def tell_people(events: Iterable[TicketEvent], readings: Iterable[Reading]) -> None:
    """Mail the ticket's agent about a warning, the policy's people about a breach.

    A warning for a ticket of nobody's goes to the policy's people, too. Each person is told in
    their own language and time zone.
    """
    by_ticket = {reading.ticket.pk: reading for reading in readings}
    people = _people({r.policy.pk for r in by_ticket.values() if r.policy})
    agents = User.objects.in_bulk({r.ticket.assignee_id for r in by_ticket.values()} - {None})
    for event in events:
        reading = by_ticket[event.ticket_id]
        readers = people[reading.policy.pk] if reading.policy else []
        agent = agents.get(reading.ticket.assignee_id or 0)
        if event.kind == TicketEvent.Kind.SLA_WARNING and agent:
            readers = [agent]
        for reader in readers:
            notify([reader], text=_words(event, reader), ticket=reading.ticket)


def clock_label(name: str) -> str:
    """A clock's name in the reader's language."""
    return {
        ClockName.FIRST_RESPONSE: _("first response"),
        ClockName.NEXT_RESPONSE: _("next response"),
        ClockName.RESOLUTION: _("resolution"),
    }[ClockName(name)]


def _people(policies: set[int]) -> dict[int, list[User]]:
    """Those each policy notifies. One query."""
    people: dict[int, list[User]] = defaultdict(list)
    pairs = SlaPolicy.notify.through._default_manager.filter(slapolicy__in=policies)
    for pair in pairs.select_related("user").order_by("user"):
        people[pair.slapolicy_id].append(pair.user)
    return people


def _words(event: TicketEvent, reader: User) -> str:
    due_at = datetime.fromisoformat(event.data["due_at"])
    with translation.override(reader.language):
        due = timezone.localtime(due_at, ZoneInfo(reader.time_zone)).strftime("%Y-%m-%d %H:%M")
        what = {"clock": clock_label(event.data["clock"]), "due": f"{due} ({reader.time_zone})"}
        if event.kind == TicketEvent.Kind.SLA_WARNING:
            return _("%(clock)s is due %(due)s") % what
        return _("%(clock)s was due %(due)s and is missed") % what
