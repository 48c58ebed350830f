"""What the queue would look like under other weights, without storing anything."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from support.models import PrioritySetting, Ticket
from support.models.ticket import Band
from support.priority.scoring import compute_scores

# The first of the queue as it is; what comes far behind them would not rise to its top at once.
CONSIDERED = 5000
SHOWN = 15
_NO_DEADLINE = float("inf")


@dataclass(frozen=True, slots=True)
class Place:
    """A ticket's place in the queue, from 1, now and under the new weights."""

    ticket: Ticket
    now: int
    then: int
    score: int
    band: int
    parts: dict[str, int]

    @property
    def moved(self) -> int:
        """How far up (positive) or down."""
        return self.now - self.then

    @property
    def down(self) -> int:
        return self.then - self.now

    @property
    def band_label(self) -> str:
        return str(Band(self.band).label)


@dataclass(frozen=True, slots=True)
class Preview:
    """The first places under the new weights, and how many tickets each band would hold."""

    places: list[Place]
    bands: list[tuple[str, int, int]]
    considered: int
    is_cut: bool


def preview_weights(setting: PrioritySetting, *, user: Any) -> Preview:
    """The queue that `user` sees under `setting` (saved or not). Four queries."""
    waiting = list(
        Ticket.objects.seen_by(user)
        .active()
        .in_order()
        .only("id", "subject", "band", "score", "due_at", "status")[: CONSIDERED + 1]
    )
    tickets = waiting[:CONSIDERED]
    scored = compute_scores([ticket.pk for ticket in tickets], setting)
    places = {ticket.pk: place for place, ticket in enumerate(tickets, start=1)}
    then = sorted(tickets, key=lambda ticket: _order(ticket, scored[ticket.pk][1]))
    before = Counter(ticket.band for ticket in tickets)
    after = Counter(band for _score, band, _parts in scored.values())
    return Preview(
        places=[
            Place(ticket, places[ticket.pk], place, *scored[ticket.pk])
            for place, ticket in enumerate(then[:SHOWN], start=1)
        ],
        bands=[(str(band.label), before[band], after[band]) for band in reversed(Band)],
        considered=len(tickets),
        is_cut=len(waiting) > CONSIDERED,
    )


def _order(ticket: Ticket, band: int) -> tuple[int, float, int]:
    due = ticket.due_at.timestamp() if ticket.due_at else _NO_DEADLINE
    return -band, due, ticket.pk
