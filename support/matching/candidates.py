"""The incidents that a new ticket may be about, with what is needed to tell."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from incidents.models import Incident, IncidentUpdate, Outage
from incidents.models.incident import State
from support.matching.lexicon import lexicon
from support.matching.reading import names_in, topics_of

UPDATES_READ = 2000  # characters of an incident's public words


@dataclass(frozen=True)
class Candidate:
    """One incident. Times are UTC; `ended_at` is None while it runs.

    `component_regions` are the components out of order with the regions ("" is everywhere),
    `names` the stems of words that tell it from others, with the word.
    """

    pk: int
    number: str
    started_at: datetime
    ended_at: datetime | None
    topics: frozenset[str]
    component_regions: frozenset[tuple[int, str]]
    component_names: dict[str, str]
    names: dict[str, str]

    @property
    def siblings(self) -> frozenset[str]:
        """Narrower topics beside its own: DSL where the fibre is cut."""
        within = lexicon().within
        own = {within[topic] for topic in self.topics if topic in within}
        return frozenset(t for t, wider in within.items() if wider in own) - self.topics

    def hits(self, component: int, region: str) -> bool:
        """Whether a subscription in `region` ("": of any) uses what is out of order."""
        return any(
            out == component and (not where or not region or where == region)
            for out, where in self.component_regions
        )


def recent_incidents(now: datetime | None = None) -> list[Incident]:
    """Running incidents and those that ended within SUPPORT_MATCH_DAYS, newest first.

    Announced maintenance counts once it has begun. One query.
    """
    now = now or timezone.now()
    since = now - timedelta(days=settings.SUPPORT_MATCH_DAYS)
    over = Q(state__in=[State.RESOLVED, State.COMPLETED])
    recent = Incident.objects.annotate(
        ended=Coalesce(F("resolved_at"), F("mitigated_at"), F("scheduled_until"), F("started_at"))
    ).filter(Q(over, ended__gte=since) | ~over, started_at__lte=now)
    return list(recent.exclude(state=State.SCHEDULED).order_by("-started_at", "-pk"))


def candidates(now: datetime | None = None) -> list[Candidate]:
    """The recent incidents with what is needed to match. Three queries."""
    found = recent_incidents(now)
    outages: dict[int, list[Outage]] = defaultdict(list)
    for outage in Outage.objects.filter(incident__in=found).select_related("component"):
        outages[outage.incident_id].append(outage)
    said: dict[int, list[str]] = defaultdict(list)
    updates = IncidentUpdate.objects.filter(incident__in=found).order_by("published_at")
    for incident, body in updates.values_list("incident_id", "body"):
        said[incident].append(body)
    return [_candidate(each, outages[each.pk], said[each.pk]) for each in found]


def _candidate(incident: Incident, outages: list[Outage], said: list[str]) -> Candidate:
    components = {outage.component_id: outage.component for outage in outages}.values()
    called = " . ".join(f"{each.name} . {each.key}" for each in components)
    topics = topics_of(called) or topics_of(
        " . ".join(f"{each.group} . {each.description}" for each in components)
    )
    is_over = incident.state in {State.RESOLVED, State.COMPLETED}
    ended = incident.resolved_at or incident.mitigated_at or incident.scheduled_until
    words = f"{incident.title} . {incident.summary} . {' . '.join(said)[:UPDATES_READ]}"
    return Candidate(
        pk=incident.pk,
        number=incident.number,
        started_at=incident.started_at,
        ended_at=(ended or incident.started_at) if is_over else None,
        topics=frozenset(topics or topics_of(incident.title)),
        component_regions=frozenset((each.component_id, each.region) for each in outages),
        component_names=names_in(called.replace("-", " ")),
        names=names_in(words),
    )


def fingerprint(incidents: list[Candidate]) -> str:
    """Changes whenever something changes that a ticket is matched by."""
    ids = [each.pk for each in incidents]
    exposed = list(
        Incident.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "affected_customers")
    )
    told = repr([exposed, [_told(each) for each in incidents]])
    return hashlib.sha256(told.encode()).hexdigest()


def _told(each: Candidate) -> tuple[object, ...]:
    return (
        each.pk,
        each.started_at.isoformat(),
        each.ended_at and each.ended_at.isoformat(),
        sorted(each.topics),
        sorted(each.component_regions),
        sorted(each.names),
    )
