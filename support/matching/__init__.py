"""Which incident a ticket is about: matched by itself, told why, and decided by people."""

from support.matching.decisions import (
    confirm,
    confirm_above,
    link,
    link_many,
    reject,
    unlink,
    unlink_many,
)
from support.matching.matches import match_events, match_tickets
from support.matching.measuring import measure
from support.matching.second_look import look_again
from support.matching.wording import reasons

__all__ = [
    "confirm",
    "confirm_above",
    "link",
    "link_many",
    "look_again",
    "match_events",
    "match_tickets",
    "measure",
    "reasons",
    "reject",
    "unlink",
    "unlink_many",
]
