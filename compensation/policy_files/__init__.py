"""Policies as files: published SLAs as data, read into policies with rows and examples.

The format is told in docs/policies.md. Numbers may stand as texts ("99.9") or as JSON numbers;
both are read as exact decimals. Amounts in cents are minor units of the file's currency.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from backoffice.money import validate_currency
from compensation.models import Policy, PolicyExample, PolicyVersion, Rule
from compensation.policy_files.examples import examples_of
from compensation.policy_files.record import Notes, Record
from compensation.policy_files.rows import rules_of
from compensation.policy_files.terms import version_of

__all__ = ["PolicyFile", "Reading", "read_policies", "read_policy"]

# More readings than these nobody means.
MOST_READINGS = 100
LARGEST_BYTES = 20_000_000
DEFAULT_CURRENCY = "USD"
# What tells about a policy, and not what is due.
HARMLESS = frozenset({
    "source_kind", "verified", "url", "urls", "date", "version", "retrieved", "exclusions",
    "comment", "tags", "language", "links", "credit_base", "claim_window", "model",
})  # fmt: skip


@dataclass(frozen=True)
class PolicyFile:
    """One policy with its version, rows and examples; nothing of it is saved."""

    provider: str
    service: str
    policy: Policy
    version: PolicyVersion
    rules: list[Rule]
    examples: list[PolicyExample]
    # How it can be read otherwise where it does not say, each with what is then taken.
    others: "list[tuple[str, PolicyFile]]" = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.provider} {self.service}".strip() or self.policy.name


@dataclass(frozen=True)
class Reading:
    """What a file holds: its policies, all that is wrong with it, and what is odd."""

    policies: list[PolicyFile]
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_policies(content: bytes, *, currency: str = DEFAULT_CURRENCY) -> Reading:
    """Read a file: an object with "policies", a list of policies, or one policy.

    Policies with problems are left out of `policies`; each problem names the policy, the field
    and the remedy.

    Raises:
        ValidationError: it is no such file, or `currency` is none.
    """
    validate_currency(currency)
    found: list[PolicyFile] = []
    problems: list[str] = []
    warnings: list[str] = []
    for number, one in enumerate(_entries(content), start=1):
        notes = Notes()
        policy = _read(one, number, currency, notes)
        policy.others.extend(_otherwise(one, number, currency, notes))
        problems += notes.problems
        warnings += notes.warnings
        if not notes.problems:
            found.append(policy)
    problems += _doubled(found)
    return Reading(found, problems, warnings)


def read_policy(content: bytes) -> PolicyFile:
    """The one policy of a file that the project ships.

    Raises:
        ValidationError: something is wrong with it.
    """
    reading = read_policies(content)
    if reading.problems:
        raise ValidationError(reading.problems)
    (policy,) = reading.policies
    return policy


def _entries(content: bytes) -> list[Any]:
    data = _parse(content)
    if isinstance(data, dict) and "policies" in data:
        data = data["policies"]
    elif isinstance(data, dict):
        data = [data]
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise ValidationError(
            "There are no policies in it: write an object with a list “policies”, or a list."
        )
    if not data:
        raise ValidationError("There is no policy in it.")
    return data


def _parse(content: bytes) -> Any:
    if len(content) > LARGEST_BYTES:
        raise ValidationError(f"The file is larger than {LARGEST_BYTES // 1_000_000} MB: split it.")
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_once,
        )
    except UnicodeDecodeError:
        raise ValidationError("This is no UTF-8 text: save it as UTF-8.") from None
    except RecursionError:
        raise ValidationError("It is nested too deeply to be a list of policies.") from None
    except ValueError as error:
        raise ValidationError(f"This is no JSON: {error}.") from None


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that stands there twice nobody knows which one was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _value in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"“{twice}” stands twice in one object: leave one of them out")
    return found


def _read(data: dict[str, Any], number: int, currency: str, notes: Notes) -> PolicyFile:
    record = Record(data, f"Policy {number}", notes)
    provider = record.text("provider", longest=100)
    service = record.text("service", longest=200)
    name = record.text("name", longest=200) or f"{provider} {service}".strip()[:200]
    record.place = name or record.place
    key = record.text("key", longest=100) or slugify(name)[:100].strip("-")
    if key != slugify(key) or not key:
        record.wrong(
            "key" if record.has("key") else "provider",
            "say provider and service, or a key of small letters, digits and hyphens.",
        )
    code = record.text("currency", longest=3) or currency
    record.is_currency("currency", code)
    told = [record.text("notes"), record.text("ambiguity")]
    policy = Policy(
        key=key, name=name, source=record.text("source", longest=500),
        description="\n\n".join(text for text in told if text),
    )  # fmt: skip
    version = version_of(record, code)
    rules = rules_of(record, version, code)
    examples = examples_of(record, version, rules, code)
    record.warn_of_unread(HARMLESS)
    return PolicyFile(provider, service, policy, version, rules, examples)


def _otherwise(
    data: dict[str, Any], number: int, currency: str, notes: Notes
) -> Iterator[tuple[str, PolicyFile]]:
    """Every other combination of what the policy leaves unsaid, the fewest changes first."""
    names = list(notes.unsaid)
    usual = tuple(readings[0] for readings in notes.unsaid.values())
    combinations = sorted(
        product(*notes.unsaid.values()),
        key=lambda taken: sum(a != b for a, b in zip(taken, usual, strict=True)),
    )
    for taken in combinations[1:MOST_READINGS]:
        chosen = {name: one for name, one, first in zip(names, taken, usual, strict=True)
                  if one != first}  # fmt: skip
        other = Notes(chosen=chosen)
        said = ", ".join(f"{name} {json.dumps(one)}" for name, one in chosen.items())
        yield said, _read(data, number, currency, other)


def _doubled(policies: Iterable[PolicyFile]) -> list[str]:
    seen: set[str] = set()
    problems = []
    for one in policies:
        if one.policy.key in seen:
            problems.append(
                f"{one}: key: “{one.policy.key}” stands twice in this file: give one another key."
            )
        seen.add(one.policy.key)
    return problems
