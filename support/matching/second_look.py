"""Tickets that came before their incident was declared, or before it was known whom it hits."""

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from support.matching.candidates import candidates, fingerprint
from support.matching.matches import match_tickets
from support.matching.scoring import BEFORE_START
from support.models import IncidentMatch, Ticket

SLICE = 200
SEEN = "support.matching.seen"


def look_again() -> int:
    """Match undecided tickets again if an incident has changed since the last look; how many.

    What counts as a change: declared, other title, components, regions, updates or times, or
    other exposures. Losing the note of the last look only means one look more.
    """
    incidents = candidates()
    now_known = fingerprint(incidents)
    if not incidents or cache.get(SEEN) == now_known:
        return 0
    earliest = min(each.started_at for each in incidents) - BEFORE_START
    since = max(earliest, timezone.now() - timedelta(days=2 * settings.SUPPORT_MATCH_DAYS))
    last, linked = 0, 0
    decided = IncidentMatch.objects.filter(decided_at__isnull=False)
    waiting = Ticket.objects.unsolved().filter(
        created_at__gte=since, incident=None, merged_into=None
    )
    waiting = waiting.exclude(pk__in=decided.values("ticket")).order_by("pk")
    while ids := list(waiting.filter(pk__gt=last).values_list("pk", flat=True)[:SLICE]):
        linked += match_tickets(ids)
        last = ids[-1]
    cache.set(SEEN, now_known, timeout=None)
    return linked
