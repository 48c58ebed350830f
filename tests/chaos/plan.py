"""What will go wrong, drawn from a seed: the same seed draws the same."""

from dataclasses import dataclass
from random import Random
from typing import Any

# How many kills there are to one cut of connections, and to one restart of Redis.
KILLS_A_CUT = 3
KILLS_A_RESTART = 10
# Nothing happens before and after these parts of the batch are through.
FIRST, LAST = 0.02, 0.85
# Longer than the workers wait for an answer (their STRIPE_TIMEOUT_SECONDS is less).
SLOW_MS = 2_600

# kind, how many of 1,000 requests, more of the rule
FAULTS: list[tuple[str, int, dict[str, Any]]] = [
    ("delay", 60, {"delay_ms": 250, "where": "after"}),
    ("delay", 4, {"delay_ms": SLOW_MS, "where": "before"}),
    ("delay", 4, {"delay_ms": SLOW_MS, "where": "after"}),
    ("error_500_kept", 10, {}),
    ("error_500_lost", 10, {}),
    ("error_502_html", 10, {}),
    ("error_502_html", 10, {"kept": True}),
    ("error_503", 10, {}),
    ("lost_answer", 20, {}),
    ("cut_answer", 10, {}),
    ("truncated", 10, {}),
    ("drop_before", 15, {}),
    ("conflict_409", 10, {}),
    ("rate_limit", 10, {}),
]
# kind, how many requests in a row, how often
BURSTS = [("rate_limit", 40, 3), ("error_503", 40, 2), ("drop_before", 20, 1)]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that breaks once `at` awards are through, `pause_seconds` later.

    `kind` is kill, cut, restart or night; `how` says what of it.
    """

    at: int
    kind: str
    how: str
    pause_seconds: float


def dice(seed: int) -> Random:
    """What every decision of a run is drawn from."""
    return Random(seed)  # noqa: S311 - repeatable, guards no secret


def events(*, awards: int, kills: int, random: Random) -> list[Event]:
    """In the order in which they happen; the night is in the middle."""
    drawn = [("kill", _kill(random)) for _ in range(kills)]
    cuts, restarts = -(-kills // KILLS_A_CUT), -(-kills // KILLS_A_RESTART)
    drawn += [("cut", random.choice(["lock", "issuer", "all"])) for _ in range(cuts)]
    drawn += [("restart", "empty")] * restarts
    random.shuffle(drawn)
    drawn.insert(len(drawn) // 2, ("night", "25 hours"))
    # each somewhere in a part of the batch of its own
    part = (LAST - FIRST) / len(drawn)
    return [
        Event(
            at=round(awards * (FIRST + part * (n + random.random()))),
            kind=kind,
            how=how,
            pause_seconds=random.uniform(0, 0.3),
        )
        for n, (kind, how) in enumerate(drawn)
    ]


def _kill(random: Random) -> str:
    """Mostly who issues: the whole worker, or only the child at work; now and then the other."""
    return random.choices(["issuer", "child", "other"], weights=[4, 3, 1])[0]


def faults(*, awards: int, random: Random) -> list[dict[str, Any]]:
    """The sandbox's rules: bursts first, as the first rule that hits decides."""
    rules: list[dict[str, Any]] = []
    for kind, length, times in BURSTS:
        rules += [
            {"kind": kind, "count": min(length, awards // 5), "after_n": random.randint(1, awards)}
            for _ in range(times)
        ]
    rules += [
        {"kind": kind, "probability": thousandths / 1000, "seed": random.randint(1, 10**9), **more}
        for kind, thousandths, more in FAULTS
    ]
    return rules
