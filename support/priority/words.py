"""How a customer's words sound.

A list of words that leads can read and change, in each of our languages. The known libraries read
English only (VADER), or bring a model of hundreds of megabytes, and none tells an agent why.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from support.models import Message, PriorityWord

READ = 4000  # characters of a message; what comes after changes no mood


def sentiment_of(text: str, language: str) -> tuple[int, list[str]]:
    """From -100 (angry, urgent) to 100 (content), and the words that made it."""
    return _weigh([text], _points().get(language, {}))


def sentiments(tickets: dict[int, str]) -> dict[int, tuple[int, list[str]]]:
    """As `sentiment_of`, by ticket (given with its language), of what customers wrote there last.

    Two queries.
    """
    said: dict[int, list[str]] = defaultdict(list)
    texts = Message.objects.filter(
        ticket__in=list(tickets), direction=Message.Direction.IN, is_automatic=False
    ).order_by("id")
    for ticket, subject, text in texts.values_list("ticket_id", "subject", "text"):
        said[ticket].append(f"{subject}\n{text[:READ]}")
    points = _points()
    return {
        ticket: _weigh(said[ticket][-3:], points.get(language, {}))
        for ticket, language in tickets.items()
    }


def _points() -> dict[str, dict[str, int]]:
    points: dict[str, dict[str, int]] = defaultdict(dict)
    for language, word, value in PriorityWord.objects.values_list("language", "word", "points"):
        points[language][word.lower()] = value
    return points


def _weigh(texts: Iterable[str], points: dict[str, int]) -> tuple[int, list[str]]:
    if not points:
        return 0, []
    pattern = _pattern(tuple(sorted(points, key=len, reverse=True)))
    found = {match.lower() for text in texts for match in pattern.findall(text)}
    total = sum(points[word] for word in found)
    return max(-100, min(100, total)), sorted(found)


@lru_cache(maxsize=16)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)
