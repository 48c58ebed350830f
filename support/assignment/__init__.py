"""Who works on which ticket: taken by agents, given by the desk, handed over in absence."""

from support.assignment.absence import (
    begin_absences,
    end_absence,
    end_absences,
    hand_over_answered,
    set_absence,
)
from support.assignment.giving import assign_waiting
from support.assignment.people import hindrances
from support.assignment.taking import take_next

__all__ = [
    "assign_waiting",
    "begin_absences",
    "end_absence",
    "end_absences",
    "hand_over_answered",
    "hindrances",
    "set_absence",
    "take_next",
]
