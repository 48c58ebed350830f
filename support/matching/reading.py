"""What a customer's words say: of which part of the service, that it fails, or something else."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from backoffice.customers.models.customer import Language
from support.matching.lexicon import (
    END,
    STEMMERS,
    Phrase,
    found_in,
    known,
    lexicon,
    parts_of,
    stem,
    tokens,
)

READ = 4000  # characters; what comes after says nothing new
NEAR = 3  # words between "no" and what is missing
SHORTEST_NAME = 4  # letters of a word that may tell one incident from another

_NUMBER = re.compile(r"\bINC-\d{4}-\d+\b", re.IGNORECASE)
# Labels and addresses: "Phone: 030 ..." is no trouble with the phone.
_NOISE = re.compile(
    r"\S+@\S+|https?://\S+|www\.\S+"
    r"|\b(?:tel|telefon|telephone|phone|mobile|mobil|handy|fax|тел|телефон)"
    r"\s*[.:]*\s*[+(]?\d[\d\s()/-]{4,}",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    r"\n\s*(?:-- ?$|sent from my|von meinem \w+ gesendet|отправлено с|gesendet von"
    r"|(?:\w+ )?(?:regards|wishes|grüße|grüßen)|yours|sincerely|mit freundlichen gr"
    r"|gruß|cheers|mfg\b|lg\b|с уважением|всего доброго).*",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
Hit = tuple[Phrase, list[int]]
# kind -> name -> what was said, in order
Parts = dict[str, dict[str, dict[str, None]]]


@dataclass
class Reading:
    """The words found, each under what it means; as the customer wrote them."""

    topics: dict[str, list[str]] = field(default_factory=dict)
    # strong, general, weak
    failure: dict[str, list[str]] = field(default_factory=dict)
    # billing, account, sales ...
    other: dict[str, list[str]] = field(default_factory=dict)
    old: list[str] = field(default_factory=list)
    lately: list[str] = field(default_factory=list)
    numbers: frozenset[str] = frozenset()
    # every word's stem (without ours) with the word: what an incident's title may share
    names: dict[str, str] = field(default_factory=dict)


def read(text: str, language: str) -> Reading:
    """Read what a customer wrote; `language` is the ticket's, where the words don't tell."""
    plain = _plain(text)
    words = tokens(plain)
    reading = Reading(numbers=frozenset(n.upper() for n in _NUMBER.findall(text)))
    parts: Parts = defaultdict(lambda: defaultdict(dict))
    for spoken in _languages(words, language):
        _read_in(spoken, words, parts)
    reading.topics = {name: list(found) for name, found in parts["topics"].items()}
    reading.failure = {name: list(found) for name, found in parts["failure"].items()}
    reading.other = {name: list(found) for name, found in parts["other"].items()}
    reading.old = list(parts["old"]["old"])
    reading.lately = list(parts["lately"]["lately"])
    reading.names = names_in(plain)
    return reading


def names_in(text: str) -> dict[str, str]:
    """Words that may tell one incident from another (places, products): stem -> word."""
    found = {}
    for word in tokens(text):
        if len(word) < SHORTEST_NAME or word.isdecimal():
            continue
        for language in STEMMERS:
            if stem(word, language) in lexicon().vocabulary[language] or word in lexicon().empty:
                break
        else:
            found[stem(word, _script(word))] = word
    return found


def topics_of(text: str) -> set[str]:
    """The topics that the name of a component speaks of, in any language."""
    found = set()
    words = tokens(text)
    for language in STEMMERS:
        stems = [stem(word, language) for word in words]
        found |= {phrase.name for phrase, _ in found_in(stems, language) if phrase.kind == "topics"}
    return found | {lexicon().within[topic] for topic in found if topic in lexicon().within}


def _read_in(language: str, words: list[str], parts: Parts) -> None:
    if language == Language.GERMAN:
        words = parts_of(words)
    stems = [known(word, language) for word in words]
    hits = list(found_in(stems, language))
    for _phrase, places in [hit for hit in hits if hit[0].kind == "ignored"]:
        for place in places:
            stems[place] = "-"
    hits = [hit for hit in hits if all(stems[place] != "-" for place in hit[1])]
    hits = [hit for hit in hits if hit[0].kind != "other" or not _is_part(hit, hits)]
    topical = {place for phrase, places in hits if phrase.kind == "topics" for place in places}
    for phrase, places in hits:
        said = " ".join(words[place] for place in places)
        if phrase.kind == "absence":
            if _is_near(places[0], topical, stems):
                parts["failure"]["general"][_around(places[0], topical, words)] = None
        else:
            parts[phrase.kind][phrase.name][said] = None


def _is_part(hit: Hit, hits: list[Hit]) -> bool:
    """Whether it stands within a longer phrase of another kind: "order" in "out of order"."""
    places = set(hit[1])
    return any(
        phrase.kind in {"failure", "old"} and not phrase.gaps and places < set(others)
        for phrase, others in hits
    )


def _is_near(place: int, topical: set[int], stems: list[str]) -> bool:
    """Whether a topic's word stands a few words before or after, in the same sentence."""
    for step in (1, -1):
        for other in range(place + step, place + step * (NEAR + 1), step):
            if not 0 <= other < len(stems) or stems[other] == END:
                break
            if other in topical:
                return True
    return False


def _around(place: int, topical: set[int], words: list[str]) -> str:
    near = [p for p in range(place - NEAR, place + NEAR + 1) if p in topical]
    other = min(near, key=lambda p: abs(p - place))
    return " ".join(words[min(place, other) : max(place, other) + 1])


def _languages(words: list[str], language: str) -> list[str]:
    """Those the words are in; of English and German the one with more common words."""
    spoken = [Language.RUSSIAN] if any(_is_cyrillic(word) for word in words) else []
    latin = [word for word in words if word and not _is_cyrillic(word)]
    common = lexicon().common
    counts = {tongue: sum(w in common[tongue] for w in latin) for tongue in common}
    most = max(counts.values())
    if most == 0 and latin:
        return [*spoken, *common]
    best = [tongue for tongue, count in counts.items() if count == most and most]
    if len(best) > 1 and language in best:
        best = [Language(language)]
    return [*spoken, *best]


def _plain(text: str) -> str:
    return _NOISE.sub(" ", _FAREWELL.sub("", text[:READ]))


def _script(word: str) -> str:
    return Language.RUSSIAN if _is_cyrillic(word) else Language.GERMAN


def _is_cyrillic(word: str) -> bool:
    return any("а" <= letter <= "я" for letter in word)
