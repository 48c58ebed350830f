"""The words by which customers tell what fails, read from words.toml and compared by stems.

Stems are Snowball's, the same that PostgreSQL's dictionaries give; here nothing is a stop word,
for "not" and "no" carry the meaning. A misspelt word counts as the known one it is nearest to.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import snowballstemmer
from django.conf import settings
from rapidfuzz.distance import OSA

from backoffice.customers.models.customer import Language

WORDS = Path(__file__).with_name("words.toml")
STEMMERS = {
    Language.ENGLISH: snowballstemmer.stemmer("english"),
    Language.GERMAN: snowballstemmer.stemmer("german"),
    Language.RUSSIAN: snowballstemmer.stemmer("russian"),
}
GAP = ".."
LONGEST_GAP = 5  # words in between
# Below this many letters a misspelt word is too near to too many others.
SHORTEST_MISSPELT = 5
TWO_SLIPS_FROM = 9
SHORTEST_COMPOUND = 10
END = ""  # of a sentence: no phrase goes over it

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[.!?\n;]")
_NOT = re.compile(r"(?:n['’]t|(?<=[aeioun])nt)$")
_WITHOUT_APOSTROPHE = frozenset(
    {"dont", "doesnt", "cant", "isnt", "wont", "arent", "didnt", "hasnt", "havent", "wasnt"}
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is looked for: stems in their order, and before which of them others may stand.

    `kind` is its section (topics, failure ...), `name` the entry there, `text` as it was written.
    """

    kind: str
    name: str
    text: str
    language: str
    stems: tuple[str, ...]
    gaps: frozenset[int]


@dataclass(frozen=True)
class Lexicon:
    """All phrases by language and first stem; the longest first."""

    phrases: dict[str, dict[str, list[Phrase]]]
    # the stems of these phrases, and their longer words as written, by language
    vocabulary: dict[str, frozenset[str]]
    words: dict[str, frozenset[str]]
    # topic -> the wider topic it belongs to
    within: dict[str, str]
    # what fails when everything does
    basic: frozenset[str]
    # other matter -> topics that make it no other matter
    unless: dict[str, frozenset[str]]
    # by which English is told from German; and what tells no incident from another
    common: dict[str, frozenset[str]]
    empty: frozenset[str]


@cache
def lexicon() -> Lexicon:
    """Ours, with the company's own words added (SUPPORT_MATCH_WORDS)."""
    files = [WORDS, *(Path(path) for path in settings.SUPPORT_MATCH_WORDS)]
    contents = [tomllib.loads(path.read_text(encoding="utf-8")) for path in files]
    entries = list(_entries(contents))
    phrases = [phrase for entry in entries for phrase in _phrases(*entry)]
    return Lexicon(
        phrases={language: _by_first_stem(phrases, language) for language in STEMMERS},
        vocabulary={
            language: frozenset(
                stem for each in phrases if each.language == language for stem in each.stems
            )
            for language in STEMMERS
        },
        words={language: _long_words(phrases, language) for language in STEMMERS},
        within={name: entry["within"] for _, name, entry in entries if "within" in entry},
        basic=frozenset(name for _, name, entry in entries if entry.get("basic")),
        unless={
            name: frozenset(entry["unless"]) for _, name, entry in entries if "unless" in entry
        },
        common={
            language: _listed(contents, "common", language)
            for language in (Language.ENGLISH, Language.GERMAN)
        },
        empty=_listed(contents, "empty", "words"),
    )


def tokens(text: str) -> list[str]:
    """Words in lower case, "not" apart from what it denies, and the ends of sentences."""
    words: list[str] = []
    for token in _TOKEN.findall(text.lower().replace("ё", "е")):
        if not token[0].isalnum():
            words.append(END)
        elif token in _WITHOUT_APOSTROPHE or token.endswith(("n't", "n’t")):
            words += [_NOT.sub("", token), "not"]
        elif token == "cannot":  # noqa: S105 - a word
            words += ["can", "not"]
        else:
            words.append(token.replace("’", "'").removesuffix("'s"))
    return words


@lru_cache(maxsize=100_000)
def stem(word: str, language: str) -> str:
    """What is left of `word` without its ending."""
    return str(STEMMERS[Language(language)].stemWord(word)) if word else END


@lru_cache(maxsize=100_000)
def known(word: str, language: str) -> str:
    """The stem of `word`, or of the word of ours that is a slip or two away from it."""
    own = stem(word, language)
    ours = lexicon().vocabulary[language]
    if own in ours or len(word) < SHORTEST_MISSPELT or word[0].isdecimal():
        return own
    slips = 2 if len(word) >= TWO_SLIPS_FROM else 1
    near = [
        (OSA.distance(word, candidate, score_cutoff=slips), candidate)
        for candidate in lexicon().words[language]
        if candidate[0] == word[0] and abs(len(candidate) - len(word)) <= slips
    ]
    distance, best = min(near, default=(slips + 1, ""))
    return stem(best, language) if distance <= slips else own


def parts_of(words: list[str]) -> list[str]:
    """German compounds taken apart where the last part is a word of ours: Gigabitleitung."""
    return [part for word in words for part in _parts(word)]


@lru_cache(maxsize=100_000)
def _parts(word: str) -> tuple[str, ...]:
    ours = lexicon().words[Language.GERMAN]
    if word in ours or len(word) < SHORTEST_COMPOUND:
        return (word,)
    for start in range(3, len(word) - SHORTEST_MISSPELT + 1):
        if word[start:] in ours:
            return (word[:start], word[start:])
    return (word,)


def found_in(stems: list[str], language: str) -> Iterator[tuple[Phrase, list[int]]]:
    """Each phrase that stands in `stems`, and the places of its words there."""
    by_first = lexicon().phrases[language]
    for start, first in enumerate(stems):
        for phrase in by_first.get(first, ()):
            if places := _places(phrase, stems, start):
                yield phrase, places


def _places(phrase: Phrase, stems: list[str], start: int) -> list[int]:
    places = [start]
    for number, wanted in enumerate(phrase.stems[1:], start=1):
        reach = LONGEST_GAP + 1 if number in phrase.gaps else 1
        place = _next(wanted, stems, places[-1] + 1, reach)
        if place is None:
            return []
        places.append(place)
    return places


def _next(wanted: str, stems: list[str], start: int, reach: int) -> int | None:
    for place in range(start, min(start + reach, len(stems))):
        if stems[place] == wanted:
            return place
        if stems[place] == END:
            return None
    return None


def _entries(contents: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for content in contents:
        for kind in ("topics", "failure", "other"):
            for name, entry in content.get(kind, {}).items():
                yield kind, name, entry
        for kind in ("absence", "old", "lately", "ignored"):
            if kind in content:
                yield kind, kind, content[kind]


def _phrases(kind: str, name: str, entry: dict[str, Any]) -> Iterator[Phrase]:
    for language in STEMMERS:
        for text in entry.get(language, ()):
            stems: list[str] = []
            gaps = set()
            for word in text.split():
                if word == GAP:
                    gaps.add(len(stems))
                else:
                    stems.append(stem(word.replace("ё", "е"), language))
            yield Phrase(kind, name, text, language, tuple(stems), frozenset(gaps))


def _by_first_stem(phrases: list[Phrase], language: str) -> dict[str, list[Phrase]]:
    found: dict[str, list[Phrase]] = defaultdict(list)
    for phrase in sorted(phrases, key=lambda phrase: -len(phrase.stems)):
        if phrase.language == language:
            found[phrase.stems[0]].append(phrase)
    return dict(found)


def _long_words(phrases: list[Phrase], language: str) -> frozenset[str]:
    return frozenset(
        word
        for phrase in phrases
        if phrase.language == language
        for word in phrase.text.replace("ё", "е").split()
        if len(word) >= SHORTEST_MISSPELT
    )


def _listed(contents: list[dict[str, Any]], section: str, name: str) -> frozenset[str]:
    return frozenset(word for each in contents for word in each.get(section, {}).get(name, ()))
