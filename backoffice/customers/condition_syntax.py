"""The grammar of conditions: DjangoQL's, with its traps closed and its errors explained."""

from typing import Any

from django.core.exceptions import ValidationError
from djangoql.ast import Expression
from djangoql.exceptions import DjangoQLError
from djangoql.lexer import DjangoQLLexer
from djangoql.parser import DjangoQLParser

MOST_COMPARISONS = 100  # DjangoQL recurses once a comparison
DEEPEST = 20  # parentheses


class ConditionError(ValidationError):
    """A condition that cannot be used.

    `problem` says why, `remedy` what to write instead (may be empty), `position` where in the
    text (from 0), `line` and `column` (from 1) likewise. Forms show all of it as one sentence.
    """

    def __init__(self, problem: str, *, text: str, position: int, remedy: str = "") -> None:
        before = text[:position]
        self.problem = problem
        self.remedy = remedy
        self.position = position
        self.line = before.count("\n") + 1
        self.column = position - (before.rfind("\n") + 1) + 1
        sentence = f"Line {self.line}, column {self.column}: {problem} {remedy}".strip()
        super().__init__(sentence, code="condition")

    def __str__(self) -> str:
        return str(self.message)


def tokens_of(text: str, *, example: str) -> list[Any]:
    """`example` is a condition that could stand here, for the remedy."""
    try:
        return list(DjangoQLLexer().input(text))
    except DjangoQLError as error:
        at = len(text) - len(error.value)
        raise ConditionError(
            f"“{text[at]}” has no meaning here.",
            text=text,
            position=at,
            remedy=f"Write conditions like {example}.",
        ) from None


def check_shape(text: str, tokens: list[Any]) -> None:
    """Bounds the recursion, and refuses `a and b or c`.

    DjangoQL gives `and` and `or` the same precedence and binds them from the right, so without
    parentheses it would not mean what a reader thinks.
    """
    words: list[str] = [""]
    comparisons = 0
    for token in tokens:
        if token.type == "PAREN_L":
            words.append("")
        elif token.type == "PAREN_R" and len(words) > 1:
            words.pop()
        elif token.type == "NAME":
            comparisons += 1
        elif token.type in {"AND", "OR"}:
            if words[-1] not in {"", token.type}:
                raise ConditionError(
                    "“and” and “or” are mixed.",
                    text=text,
                    position=token.lexpos,
                    remedy="Put parentheses around what belongs together: a and (b or c).",
                )
            words[-1] = token.type
        if len(words) > DEEPEST or comparisons > MOST_COMPARISONS:
            raise ConditionError(
                f"At most {MOST_COMPARISONS} comparisons and {DEEPEST - 1} levels of parentheses "
                "are possible.",
                text=text,
                position=token.lexpos,
                remedy="Use “in (…)” for long lists.",
            )


class _Parser(DjangoQLParser):  # type: ignore[misc]
    """Tells where it stumbled, by position in the text instead of by line."""

    def raise_syntax_error(self, message: str, token: Any = None) -> None:
        raise DjangoQLError(message, value=token)


def tree_of(text: str, *, example: str) -> Expression:
    try:
        return _Parser().parse(text)
    except DjangoQLError as error:
        if error.value is None:
            raise ConditionError(
                "The condition ends too early.",
                text=text,
                position=len(text),
                remedy="Finish it: a field, a comparison and a value, such as "
                f"{example.partition(' and ')[0]}.",
            ) from None
        raise ConditionError(
            f"“{error.value.value}” does not fit here.",
            text=text,
            position=error.value.lexpos,
            remedy="A comparison is a field, one of = != > >= < <= ~ in, and a value; texts stand "
            "in quotation marks.",
        ) from None


def comparisons_of(text: str, *, example: str) -> list[str]:
    """The comparisons of a condition that was parsed before, as they stand in it."""
    found: list[str] = []
    start, depth = -1, 0
    for token in tokens_of(text, example=example):
        if token.type == "NAME":
            start, depth = token.lexpos, 0
        elif token.type == "PAREN_L":
            depth += 1
        elif token.type == "PAREN_R" and depth:
            depth -= 1
        elif token.type in {"AND", "OR", "PAREN_R"} and start >= 0:
            found.append(text[start : token.lexpos].strip())
            start = -1
    if start >= 0:
        found.append(text[start:].strip())
    return found
