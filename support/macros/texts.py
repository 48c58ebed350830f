"""The language of a macro's text: {{ customer.first_name }}, and what to say where it is empty.

{{ customer.first_name | default: "there" }} stands for “there” where nothing is known. There is
nothing else: no conditions, no loops, nothing that could read more than the listed variables.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backoffice.customers.models.customer import Language

LONGEST = 10_000
_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_INSIDE = re.compile(r"\s*([a-z_]+\.[a-z_]+)\s*(?:\|\s*default:\s*(\"[^\"]*\"|“[^”]*”)\s*)?")
_STRAY = re.compile(r"\{\{|\}\}|\{%|%\}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, or the place of a variable: `name` with its default, if it has one."""

    text: str = ""
    name: str = ""
    default: str | None = None


def pieces_of(text: str) -> Iterator[Piece]:
    """The text cut at its variables. What is wrong with it is told by `problems_of`."""
    end = 0
    for found in _BRACES.finditer(text):
        yield Piece(text=text[end : found.start()])
        inside = _INSIDE.fullmatch(found[1])
        if inside is None:
            yield Piece(text=found[0])
        else:
            yield Piece(name=inside[1], default=inside[2][1:-1] if inside[2] else None)
        end = found.end()
    yield Piece(text=text[end:])


def check_texts(texts: Any, *, known: Mapping[str, object]) -> None:
    """Refuse texts by language that could not be rendered; `known` are the variables there are.

    Raises:
        ValidationError: one sentence a mistake, with language, line and column.
    """
    if not isinstance(texts, dict):
        raise ValidationError(_("Texts come by language: {“en”: “…”}."))
    problems = []
    for language, text in texts.items():
        if language not in Language.values or not isinstance(text, str):
            problems.append(_("“{code}” is no language of ours.").format(code=language))
            continue
        label = Language(language).label
        problems += [f"{label}, {problem}" for problem in problems_of(text, known)]
    if problems:
        raise ValidationError(problems)


def problems_of(text: str, known: Mapping[str, object]) -> list[str]:
    """What is wrong with one text, each with its place."""
    if len(text) > LONGEST:
        return [_("it is longer than {n} characters.").format(n=LONGEST)]
    problems = []
    for found in _BRACES.finditer(text):
        inside = _INSIDE.fullmatch(found[1])
        if inside is None:
            problem = _("“{written}” is no variable: write {example}.").format(
                written=found[0], example="{{ customer.name }}"
            )
        elif inside[1] not in known:
            problem = _unknown(inside[1], known)
        else:
            continue
        problems.append((found.start(), problem))
    # blanked out, so that what is left over shows with its place
    rest = _BRACES.sub(lambda found: " " * len(found[0]), text)
    for found in _STRAY.finditer(rest):
        said = _("“{written}” stands alone: a variable is {example}.")
        problems.append(
            (found.start(), said.format(written=found[0], example="{{ customer.name }}"))
        )
    return [f"{_place(text, position)}: {problem}" for position, problem in sorted(problems)]


def _place(text: str, position: int) -> str:
    before = text[:position]
    return _("line {line}, column {column}").format(
        line=before.count("\n") + 1, column=position - before.rfind("\n")
    )


def _unknown(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    said = _("there is no “{name}”.").format(name=name)
    if near:
        return f"{said} {_('Did you mean “{near}”?').format(near=near[0])}"
    return f"{said} {_('Use one of {known}.').format(known=', '.join(known))}"
