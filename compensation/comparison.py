"""What a draft changes in what is in force: term by term, row by row, example by example."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from django.utils.translation import gettext as _

from compensation import wording
from compensation.models import PolicyExample, PolicyVersion, Rule
from compensation.wording.terms import terms

__all__ = ["Change", "Difference", "compare_versions"]

# Rows with fewer fields in common (empty ones, too) are two rows, not one that was changed.
ALIKE = 0.5


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True)
class Change:
    """One field in words, before and after; empty where there is nothing."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """One term, row or example that is not as it was.

    `of` is "term", "row" or "example". `position` is the draft's, `former_position` that of what
    is in force; None where it is not there, and for terms. `changes` are the fields that differ,
    of what was added or removed all that say something.
    """

    kind: str
    of: str
    label: str
    position: int | None
    former_position: int | None
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class _Said:
    """A row or example by its position, with each of its fields in words."""

    position: int
    fields: dict[str, str]

    def likeness(self, other: "_Said") -> float:
        same = sum(self.fields[label] == other.fields[label] for label in self.fields)
        return same / len(self.fields)


def compare_versions(draft: PolicyVersion, active: PolicyVersion) -> list[Difference]:
    """What differs: terms first, then rows, then examples, each in the draft's order."""
    now, before = dict(terms(draft)), dict(terms(active))
    found = [
        Difference(Kind.CHANGED, "term", label, None, None,
                   (Change(label, before.get(label, ""), now.get(label, "")),))
        for label in [*now, *(label for label in before if label not in now)]
        if now.get(label, "") != before.get(label, "")
    ]  # fmt: skip
    found += _compare(
        "row", _("Row {n}"),
        [_Said(rule.position, _row(rule, active)) for rule in active.rules.all()],
        [_Said(rule.position, _row(rule, draft)) for rule in draft.rules.all()],
    )  # fmt: skip
    found += _compare(
        "example", _("Example {n}"),
        [_Said(one.position, _example(one)) for one in active.examples.all()],
        [_Said(one.position, _example(one)) for one in draft.examples.all()],
    )  # fmt: skip
    return found


def _row(rule: Rule, version: PolicyVersion) -> dict[str, str]:
    return {
        _("Name"): rule.label,
        _("Plans"): ", ".join(rule.plans),
        _("Countries"): ", ".join(rule.countries),
        _("Segments"): ", ".join(rule.segments),
        _("Statuses"): wording.statuses(rule),
        _("Months with us"): wording.tenure(rule),
        _("Uptime"): wording.bounds(rule, "uptime", "%"),
        _("Minutes"): wording.bounds(rule, "minutes", _("minutes")),
        _("Further condition"): rule.condition.strip(),
        _("Credit"): wording.credit(rule, version),
        _("Days of service"): str(rule.trial_days or ""),
        _("Days of priority support"): str(rule.priority_days or ""),
    }


def _example(example: PolicyExample) -> dict[str, str]:
    return {
        _("Name"): example.label,
        _("What happens"): wording.happens(example),
        _("Expected"): wording.expects(example),
    }


def _compare(
    of: str, label: str, before: Sequence[_Said], now: Sequence[_Said]
) -> list[Difference]:
    """Rows that stayed in their order are the same; the others are paired by likeness."""
    old, new = ([tuple(one.fields.values()) for one in rows] for rows in (before, now))
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    stayed = {(b.a + n, b.b + n) for b in blocks for n in range(b.size)}
    left = [one for n, one in enumerate(before) if n not in {a for a, _b in stayed}]
    made = [one for n, one in enumerate(now) if n not in {b for _a, b in stayed}]
    pairs = _pair(left, made)
    found = [_difference(of, label, pairs.get(one.position), one) for one in made]
    paired = {one.position for one in pairs.values()}
    gone = [_difference(of, label, one, None) for one in left if one.position not in paired]
    return sorted(found + gone, key=lambda one: one.position or one.former_position or 0)


def _pair(left: list[_Said], made: list[_Said]) -> dict[int, _Said]:
    """For each new position what it was made of: the likest first, each once."""
    likest = sorted(
        ((old.likeness(new), -abs(old.position - new.position), old, new)
         for old in left for new in made),
        key=lambda pair: pair[:2], reverse=True,
    )  # fmt: skip
    pairs: dict[int, _Said] = {}
    taken: set[int] = set()
    for likeness, _near, old, new in likest:
        if likeness >= ALIKE and new.position not in pairs and old.position not in taken:
            pairs[new.position] = old
            taken.add(old.position)
    return pairs


def _difference(of: str, label: str, old: _Said | None, new: _Said | None) -> Difference:
    fields = (new or old or _Said(0, {})).fields
    told = (Change(key, _says(old, key), _says(new, key)) for key in fields)
    changes = tuple(change for change in told if change.before != change.after)
    if old is None:
        kind = Kind.ADDED
    elif new is None:
        kind = Kind.REMOVED
    else:
        kind = Kind.CHANGED if changes else Kind.MOVED
    position, former = (one.position if one else None for one in (new, old))
    return Difference(kind, of, label.format(n=position or former), position, former, changes)


def _says(one: _Said | None, key: str) -> str:
    return one.fields[key] if one else ""
