"""Labelled tickets about several incidents at once, and about none, in three languages.

`cases(name, seed)` joins the sentences of tuning.toml or held_out.toml to tickets, spoils some
with typos, and gives each a sender and a time. The truth stands on each.
"""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LANGUAGES = ("en", "de", "ru")

# Who writes, and what hit them: see `tests.support.flood.world`.
HIT = {"fibre": "fibre_mail", "mail": "dsl_mail", "voice": "dsl_voice_west"}
SPARED = {"fibre": ("dsl_mail", "fibre_east"), "mail": ("fibre_only",), "voice": ("fibre_only",)}
UNKNOWN = "nobody"
# Minutes after the fibre's outage from which on somebody can write about it.
BEGUN = {"mail": 65}


@dataclass(frozen=True)
class Case:
    """One ticket; `minutes` after the fibre's outage began. `about` is what is true, or ""."""

    subject: str
    text: str
    language: str
    sender: str
    minutes: int
    about: str


def cases(name: str, seed: int) -> list[Case]:
    """All of a file, each sentence three times in other company."""
    parts = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))
    draw = random.Random(seed)  # noqa: S311
    return [case for language in LANGUAGES for case in _in_language(parts, language, draw)]


def _in_language(parts: dict[str, Any], language: str, draw: random.Random) -> Iterator[Case]:
    for about, texts in parts["about"].items():
        for line in texts[language]:
            for _turn in range(3):
                sender = HIT[about] if draw.random() < 0.93 else UNKNOWN
                yield _case(parts, language, line, draw, sender, about)
            # the same words of somebody it does not hit, or long before
            yield _case(parts, language, line, draw, draw.choice(SPARED[about]), "")
            if draw.random() < 0.3:
                yield _case(parts, language, line, draw, HIT[about], "", minutes=-60 * 30)
    for line in parts["unrelated"][language]:
        for sender in (*HIT.values(), UNKNOWN):
            yield _case(parts, language, line, draw, sender, "")


def _case(
    parts: dict[str, Any], language: str, line: str, draw: random.Random, sender: str, about: str,
    minutes: int | None = None,
) -> Case:  # fmt: skip
    subject, text = line.split("|")
    said = [
        draw.choice(parts["openers"][language]),
        text,
        # only one who has the trouble asks when it will be over
        draw.choice(parts["extras"][language]) if about or minutes else "",
    ]
    body = " ".join(part for part in said if part)
    if draw.random() < 0.25:
        body = _slip(body, draw)
    if draw.random() < 0.15:
        body, subject = body.lower(), subject.lower()
    closing = draw.choice(parts["closers"][language])
    return Case(
        subject,
        f"{body}\n\n{closing}".strip(),
        language,
        sender,
        minutes if minutes is not None else draw.randint(BEGUN.get(about, 5), 60 * 20),
        about,
    )


def _slip(text: str, draw: random.Random) -> str:
    """Two letters swapped, one left out or one doubled, within a longer word."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 5 and word.isalpha()]
    if not long:
        return text
    place = draw.choice(long)
    word = words[place]
    at = draw.randint(1, len(word) - 3)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    words[place] = draw.choice([swapped, word[:at] + word[at + 1 :], word[: at + 1] + word[at:]])
    return " ".join(words)
