"""What is wrong, or looks wrong, with a policy version before it comes into force."""

from collections.abc import Iterator, Sequence

from compensation.findings.amounts import beyond_caps, in_amounts, missing_currencies
from compensation.findings.between import between_rows
from compensation.findings.examples import in_examples
from compensation.findings.finding import Code, Finding
from compensation.findings.rows import in_row
from compensation.findings.values import unknown_values
from compensation.models import PolicyExample, PolicyVersion, Rule

__all__ = ["Code", "Finding", "check_version", "findings_of"]


def check_version(version: PolicyVersion) -> list[Finding]:
    """Errors first, then warnings, each in the order of the rows.

    Examples are priced only where nothing else is an error.
    """
    return findings_of(version, list(version.rules.all()), list(version.examples.all()))


def findings_of(
    version: PolicyVersion, rules: Sequence[Rule], examples: Sequence[PolicyExample]
) -> list[Finding]:
    """As `check_version`, for terms, rows and examples that need not be saved."""
    findings = [*_in_version(version, rules)]
    for rule in rules:
        findings += in_row(rule)
    findings += unknown_values(rules)
    findings += between_rows(version, rules)
    findings += missing_currencies(version, rules)
    if not any(finding.is_error for finding in findings):
        findings += in_examples(version, rules, examples)
    return sorted(findings, key=lambda finding: not finding.is_error)


def _in_version(version: PolicyVersion, rules: Sequence[Rule]) -> Iterator[Finding]:
    if not rules:
        yield Finding("A policy needs at least one row.", field="rules", code=Code.NO_ROWS)
    yield from in_amounts(version.cap_amounts, "cap_amounts")
    yield from in_amounts(version.minimum_amounts, "minimum_amounts")
    yield from beyond_caps(version, rules)
    if version.holdout_percent and not version.is_voluntary:
        yield Finding(
            "A contract is owed to all: hold nobody out of it, or mark it as voluntary.",
            field="holdout_percent", code=Code.CONTRACT_HOLDS_OUT,
        )  # fmt: skip
    if not version.rounding:
        yield Finding(
            "How amounts are rounded is not said: half up is used. Choose it to say so.",
            is_error=False, field="rounding", code=Code.ROUNDING_UNSAID,
        )  # fmt: skip
