"""Faults on request: what to do wrong, to which requests, how often.

They are held in memory: a restart, like a reset, ends them.
"""

import random
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What goes wrong. "Kept" is committed and stored under the key; "lost" has no effect."""

    DELAY = "delay"
    ERROR_500_KEPT = "error_500_kept"
    ERROR_500_LOST = "error_500_lost"
    ERROR_502_HTML = "error_502_html"
    ERROR_503 = "error_503"
    LOST_ANSWER = "lost_answer"
    TRUNCATED = "truncated"
    CUT_ANSWER = "cut_answer"
    DROP_BEFORE = "drop_before"
    RATE_LIMIT = "rate_limit"
    CONFLICT_409 = "conflict_409"
    AUTH_401 = "auth_401"
    WEBHOOK_DUPLICATE = "webhook_duplicate"
    WEBHOOK_UNORDERED = "webhook_unordered"


WEBHOOK_KINDS = frozenset({Kind.WEBHOOK_DUPLICATE, Kind.WEBHOOK_UNORDERED})


@dataclass
class Rule:
    """One fault, for the requests whose path contains ``path`` and whose method is ``method``.

    Of the requests that match, the first ``after_n`` are spared; of the others every ``every_nth``
    is hit, with ``probability`` (drawn from ``seed``), at most ``count`` times. For webhooks,
    ``path`` is looked for in the event's type. ``delay_ms`` is waited before the work (the key is
    then in flight) or, with ``where="after"``, between the commit and the answer. A 502 is without
    effect unless ``kept``.
    """

    kind: Kind
    path: str = ""
    method: str = ""
    probability: float = 1.0
    count: int | None = None
    every_nth: int = 1
    after_n: int = 0
    delay_ms: int = 0
    where: str = "after"
    kept: bool = False
    seed: int = 0
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.kind = Kind(self.kind)
        self._check()
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable, guards no secret

    def _check(self) -> None:
        if self.where not in ("before", "after"):
            raise ValueError("where is either before or after")
        if not 0 <= self.probability <= 1:
            raise ValueError("probability is from 0 to 1")
        if self.every_nth < 1:
            raise ValueError("every_nth is 1 or more")
        if min(self.after_n, self.delay_ms, self.count or 0) < 0:
            raise ValueError("after_n, delay_ms and count are 0 or more")

    def hits(self, method: str, path: str) -> bool:
        """Whether this request is hit; counts it."""
        if self.path not in path or (self.method and self.method != method):
            return False
        self.seen += 1
        turn = self.seen - self.after_n
        if (
            turn < 1
            or turn % self.every_nth
            or (self.count is not None and self.fired >= self.count)
        ):
            return False
        if self.probability < 1 and self._random.random() >= self.probability:
            return False
        self.fired += 1
        return True


@dataclass
class Draw:
    """What happens to one request: waits in milliseconds, and at most one other fault."""

    before_ms: int = 0
    after_ms: int = 0
    rule: Rule | None = None

    @property
    def kind(self) -> Kind | None:
        return self.rule.kind if self.rule else None


class Faults:
    """The rules in force, in the order given; the first that hits wins, delays add up."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def add(self, given: list[dict[str, Any]]) -> None:
        """Raises ValueError or TypeError, saying what, for a rule that makes no sense."""
        names = {each.name for each in fields(Rule) if each.init}
        for rule in given:
            unknown = set(rule) - names
            if unknown:
                raise ValueError(f"unknown in a fault rule: {', '.join(sorted(unknown))}")
        self.rules += [Rule(**rule) for rule in given]

    def clear(self) -> None:
        self.rules.clear()

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self.rules]

    def draw(self, method: str, path: str) -> Draw:
        """The fate of an API request."""
        draw = Draw()
        for rule in self.rules:
            if rule.kind in WEBHOOK_KINDS or (draw.rule and rule.kind != Kind.DELAY):
                continue
            if not rule.hits(method, path):
                continue
            if rule.kind == Kind.DELAY or rule.delay_ms:
                draw.before_ms += rule.delay_ms if rule.where == "before" else 0
                draw.after_ms += rule.delay_ms if rule.where == "after" else 0
            if rule.kind != Kind.DELAY:
                draw.rule = rule
        return draw

    def webhook(self, kind: Kind, event_type: str) -> Rule | None:
        """The rule that hits the delivery of an event, if one does."""
        for rule in self.rules:
            if rule.kind == kind and rule.hits("", event_type):
                return rule
        return None
