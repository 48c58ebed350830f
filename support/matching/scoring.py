"""How likely it is that a ticket is about an incident: points added up, each with its reason.

No model: an agent reads why, and a lead can work out what another weight would change. The weights
were set on the labelled tickets of tests/support/flood, and measured on others.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from support.matching.candidates import Candidate
from support.matching.lexicon import lexicon
from support.matching.reading import Reading

FULL = 1000

EXPOSED = 400  # the customer is among the incident's exposures
USES = 350  # uses what is out of order there, but was not counted yet
NOT_HIT = -500  # a customer of ours whom it does not hit
NUMBER = 600  # the incident's number stands in the ticket
NAMED = 50  # a word of the component's own name, beside its topic
TOPIC = 150
NAME, NAMES_MOST = 60, 120  # a word of the title or an update that no other matter has
OTHER_SERVICE = -300
# Everything fails, and no part is named: the access rather than what is used over it.
ALL_BASIC, ALL_OTHER = 100, -100
FAILURE = {"strong": 220, "general": 160, "weak": 110}
OTHER_MATTER = {"": -450, "weak": -350, "general": -280, "strong": -150}
OLD = -350
LATELY = 80
IN_TIME = 150
TOO_EARLY = -FULL
# A failure is often felt, and written about, before its start is known exactly.
BEFORE_START = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Facts:
    """A ticket as far as matching reads it. `created_at` is UTC.

    `exposed_to` are incidents by primary key; `uses` the components of the customer's living
    subscriptions with their regions.
    """

    pk: int
    created_at: datetime
    reading: Reading
    customer_id: int | None = None
    exposed_to: frozenset[int] = frozenset()
    uses: frozenset[tuple[int, str]] = frozenset()


@dataclass(frozen=True)
class Match:
    """What came out: `confidence` 0 to 1000, and the parts it is the sum of."""

    incident_id: int
    confidence: int
    evidence: list[dict[str, Any]] = field(default_factory=list)


def score(facts: Facts, incident: Candidate) -> Match:
    """Add up what speaks for and against the ticket being about `incident`."""
    evidence = [
        part
        for part in (
            _exposure(facts, incident),
            _time(facts, incident),
            *_words(facts.reading, incident),
        )
        if part["points"] or part["words"]
    ]
    total = sum(part["points"] for part in evidence)
    return Match(incident.pk, max(0, min(FULL, total)), evidence)


def _part(why: str, points: int, words: list[str] | None = None) -> dict[str, Any]:
    return {"why": why, "points": points, "words": (words or [])[:5]}


def _exposure(facts: Facts, incident: Candidate) -> dict[str, Any]:
    if facts.customer_id is None:
        return _part("unknown", 0)
    if incident.pk in facts.exposed_to:
        return _part("exposed", EXPOSED)
    if any(incident.hits(component, region) for component, region in facts.uses):
        return _part("uses", USES)
    elsewhere = {component for component, _ in incident.component_regions}
    if elsewhere & {component for component, _ in facts.uses}:
        return _part("other_region", NOT_HIT)
    return _part("not_hit", NOT_HIT)


def _time(facts: Facts, incident: Candidate) -> dict[str, Any]:
    """All points from the start to the end, then fewer and fewer for as long as it is recent."""
    if facts.created_at < incident.started_at - BEFORE_START:
        return _part("too_early", TOO_EARLY)
    if incident.ended_at is None or facts.created_at <= incident.ended_at:
        return _part("during", IN_TIME)
    recent = timedelta(days=settings.SUPPORT_MATCH_DAYS)
    left = 1 - (facts.created_at - incident.ended_at) / recent
    return _part("after", round(IN_TIME * left) if left > 0 else TOO_EARLY)


def _words(reading: Reading, incident: Candidate) -> list[dict[str, Any]]:
    parts = [_service(reading, incident), _named(reading, incident), _names(reading, incident)]
    if incident.number.upper() in reading.numbers:
        parts.append(_part("number", NUMBER, [incident.number]))
    grade = next((grade for grade in FAILURE if grade in reading.failure), "")
    if grade:
        parts.append(_part(f"failure_{grade}", FAILURE[grade], reading.failure[grade]))
    parts += _other_matters(reading, incident, grade)
    if reading.old:
        parts.append(_part("old", OLD, reading.old))
    elif reading.lately:
        parts.append(_part("lately", LATELY, reading.lately))
    return parts


def _service(reading: Reading, incident: Candidate) -> dict[str, Any]:
    """The topic they speak of: the incident's, or another and only that."""
    said = [word for topic in incident.topics for word in reading.topics.get(topic, ())]
    beside = [word for topic in incident.siblings for word in reading.topics.get(topic, ())]
    narrow = incident.topics & lexicon().within.keys()
    if beside and not narrow & reading.topics.keys():
        return _part("other_service", OTHER_SERVICE, beside)
    if said:
        return _part("topic", TOPIC, list(dict.fromkeys(said)))
    others = [word for words in reading.topics.values() for word in words]
    if others:
        return _part("other_service", OTHER_SERVICE, others)
    if "strong" not in reading.failure:
        return _part("topic", 0)
    is_basic = incident.topics & lexicon().basic
    return _part("all", ALL_BASIC if is_basic else ALL_OTHER, reading.failure["strong"])


def _named(reading: Reading, incident: Candidate) -> dict[str, Any]:
    narrow = incident.topics & lexicon().within.keys() & reading.topics.keys()
    words = [word for topic in narrow for word in reading.topics[topic]]
    words += [reading.names[s] for s in incident.component_names if s in reading.names]
    # by itself a question about the component names it just as well
    counts = bool(words) and bool(reading.failure or reading.lately)
    return _part("component", NAMED if counts else 0, words)


def _names(reading: Reading, incident: Candidate) -> dict[str, Any]:
    words = [reading.names[stem] for stem in incident.names if stem in reading.names]
    return _part("title", min(NAMES_MOST, NAME * len(words)), words)


def _other_matters(reading: Reading, incident: Candidate, grade: str) -> list[dict[str, Any]]:
    """Invoices, passwords, questions: against it, and less so where something fails as well."""
    found = [
        (matter, words)
        for matter, words in reading.other.items()
        if not lexicon().unless.get(matter, frozenset()) & incident.topics
    ]
    points = OTHER_MATTER[grade]
    return [
        _part(f"other_{matter}", points if place == 0 else points // 3, words)
        for place, (matter, words) in enumerate(found)
    ]
