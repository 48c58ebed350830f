"""Whether far more tickets come in than usual."""

from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from support.models import Ticket

LATELY = timedelta(minutes=15)
USUALLY = timedelta(days=7)
KEY = "support.matching.surge.usual"
KEPT = 300  # seconds that the usual rate is remembered
# Fewer say nothing, however rare tickets are.
LEAST = 5


@dataclass(frozen=True, slots=True)
class Surge:
    """Tickets of the last 15 minutes, and how many there are usually in as long.

    `times` is how many times the usual that is; 0 where it says nothing.
    """

    lately: int
    usually: float
    times: int


def surge() -> Surge:
    """Count the tickets of the last 15 minutes against the week before. Two queries at most."""
    now = timezone.now()
    lately = Ticket.objects.filter(created_at__gt=now - LATELY).count()
    usually = float(cache.get_or_set(KEY, _usual_rate, timeout=KEPT) or 0)
    times = round(lately / max(usually, 1)) if lately >= LEAST else 0
    return Surge(lately, usually, times)


def _usual_rate() -> float:
    until = timezone.now() - LATELY
    before = Ticket.objects.filter(created_at__gt=until - USUALLY, created_at__lte=until).count()
    return before / (USUALLY / LATELY)
