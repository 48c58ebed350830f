"""Whether the examples come out."""

from collections.abc import Iterator, Sequence

from django.core.exceptions import ValidationError

from backoffice.money import format_money
from compensation import examples
from compensation.findings.finding import Code, Finding
from compensation.models import PolicyExample, PolicyVersion, Rule


def in_examples(
    version: PolicyVersion, rules: Sequence[Rule], given: Sequence[PolicyExample]
) -> Iterator[Finding]:
    """Prices them, so nothing may be wrong with the rows themselves."""
    if not given:
        yield Finding(
            "There are no examples: add one for each row, and for each bound.",
            is_error=False, field="examples", code=Code.NO_EXAMPLES,
        )  # fmt: skip
    try:
        results = examples.run(version, rules, given)
    except ValidationError as error:
        yield Finding(
            " ".join(error.messages), field="examples", code=Code.EXAMPLE_TOO_LARGE
        )  # fmt: skip
        return
    for result in results:
        if not result.is_exact:
            yield _differs(result)


def _differs(result: examples.Result) -> Finding:
    example = result.example
    got = _amount(result, result.got_minor, result.got_days)
    by = f" from row {', '.join(map(str, result.rules))}" if result.rules else ""
    if result.expects_nothing_said:
        return Finding(
            f"It stands for a hole in the text, but there is none: {got} comes out{by}. Say what "
            "is due.",
            field="expected_minor", code=Code.EXAMPLE_NOT_FLAGGED, example=example.position,
        )  # fmt: skip
    expected = _amount(result, example.expected_minor or 0, example.expected_days or 0)
    return Finding(
        f"It expects {expected}, but {got} comes out{by}. Correct the rows or the example.",
        field="expected_minor", code=Code.EXAMPLE_DIFFERS, example=example.position,
    )  # fmt: skip


def _amount(result: examples.Result, minor: int, days: int) -> str:
    if result.example.expected_days is not None:
        return f"{days} days"
    return format_money(minor, result.example.currency)
