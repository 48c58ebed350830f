"""What all answers say together, for reports."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, Q

from support.models import Survey

# The usual cuts of the Net Promoter Score (Reichheld, HBR 12/2003): 9 and 10; 0 to 6.
PROMOTES_FROM = 9
DETRACTS_TO = 6


@dataclass(frozen=True, slots=True)
class Summary:
    """Of the surveys sent since a moment.

    `csat_average` from 1 to 5; `nps` is promoters less detractors, in per cent of the answers,
    -100 to 100. Both None where nobody answered. Rates are answers per question sent, in per cent.
    """

    csat_sent: int
    csat_answers: int
    csat_average: Decimal | None
    nps_sent: int
    nps_answers: int
    nps: int | None

    @property
    def csat_rate(self) -> int | None:
        return _percent(self.csat_answers, self.csat_sent)

    @property
    def nps_rate(self) -> int | None:
        return _percent(self.nps_answers, self.nps_sent)


def summary(since: datetime, until: datetime | None = None) -> Summary:
    """The surveys sent since then and before `until` (UTC; None: until now), in one query."""
    sent = Survey.objects.filter(sent_at__gte=since)
    if until is not None:
        sent = sent.filter(sent_at__lt=until)
    csat, nps = Q(kind=Survey.Kind.CSAT), Q(kind=Survey.Kind.NPS)
    got: dict[str, Any] = sent.aggregate(
        csat_sent=Count("id", filter=csat),
        csat_answers=Count("score", filter=csat),
        csat_average=Avg("score", filter=csat),
        nps_sent=Count("id", filter=nps),
        nps_answers=Count("score", filter=nps),
        promoters=Count("id", filter=nps & Q(score__gte=PROMOTES_FROM)),
        detractors=Count("id", filter=nps & Q(score__lte=DETRACTS_TO)),
    )
    average = got.pop("csat_average")
    lead = got.pop("promoters") - got.pop("detractors")
    answers = got["nps_answers"]
    return Summary(
        csat_average=Decimal(average).quantize(Decimal("0.01")) if average is not None else None,
        nps=round(100 * lead / answers) if answers else None,
        **got,
    )


def _percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None
