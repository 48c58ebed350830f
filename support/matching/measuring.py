"""How right matching is, by the words of people, and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from support.models import IncidentMatch

State = IncidentMatch.State
# Confidence from, up to (not included).
BANDS = ((0, 500), (500, 600), (600, 700), (700, 750), (750, 850), (850, 950), (950, 1001))


@dataclass(frozen=True)
class Band:
    """Of the matches with a confidence from `at_least` to below `below`, what people said."""

    at_least: int
    below: int
    matches: int
    right: int
    wrong: int

    @property
    def share_right(self) -> float | None:
        decided = self.right + self.wrong
        return self.right / decided if decided else None

    @property
    def percent_right(self) -> float | None:
        return None if self.share_right is None else 100 * self.share_right

    @property
    def words(self) -> str:
        return f"{self.at_least / 10:.0f} – {min(self.below, 1000) / 10:.0f} %"


@dataclass(frozen=True)
class Measure:
    """What became of matches made since `since` (UTC).

    `linked` by themselves, of these `right` and `wrong` by a person's word, the rest nobody looked
    at. `proposed_right` and `proposed_wrong` likewise; `missed` a person linked with nothing
    proposed.
    """

    since: datetime
    linked: int
    right: int
    wrong: int
    proposed: int
    proposed_right: int
    proposed_wrong: int
    missed: int
    bands: tuple[Band, ...]

    @property
    def precision(self) -> float | None:
        """The share of automatic links with a person's word that are right. None: no labels."""
        labels = self.right + self.wrong
        return self.right / labels if labels else None

    @property
    def recall(self) -> float | None:
        """The share linked by themselves of what people say is about an incident."""
        true = self.right + self.proposed_right + self.missed
        return self.right / true if true else None

    @property
    def labels(self) -> int:
        return self.right + self.wrong

    @property
    def percent_right(self) -> float | None:
        return None if self.precision is None else 100 * self.precision

    @property
    def percent_found(self) -> float | None:
        return None if self.recall is None else 100 * self.recall


def measure(since: datetime) -> Measure:
    """Count people's words on matches made since `since`. Two queries."""
    matches = IncidentMatch.objects.filter(created_at__gte=since)
    by_person = Q(decided_at__isnull=False)
    right, wrong = by_person & Q(state=State.LINKED), by_person & Q(state=State.REJECTED)
    linked, proposed = Q(first_state=State.LINKED), Q(first_state=State.PROPOSED)
    counts = matches.aggregate(
        linked=Count("id", filter=linked),
        right=Count("id", filter=linked & right),
        wrong=Count("id", filter=linked & wrong),
        proposed=Count("id", filter=proposed),
        proposed_right=Count("id", filter=proposed & right),
        proposed_wrong=Count("id", filter=proposed & wrong),
        missed=Count("id", filter=Q(first_state="") & right),
    )
    return Measure(since=since, bands=_bands(matches, right, wrong), **counts)


def _bands(matches: QuerySet[IncidentMatch], right: Q, wrong: Q) -> tuple[Band, ...]:
    by_confidence = (
        matches.filter(confidence__isnull=False)
        .order_by()
        .values(points=F("confidence"))
        .annotate(n=Count("id"), r=Count("id", filter=right), w=Count("id", filter=wrong))
    )
    rows: list[Any] = list(by_confidence)
    return tuple(
        Band(
            low,
            high,
            *(sum(row[key] for row in rows if low <= row["points"] < high) for key in "nrw"),
        )
        for low, high in BANDS
    )
