"""Rules: when something happens to a ticket, or so long after, and a condition fits, do this."""

from support.automation.explaining import Trial, sentence, try_rule
from support.automation.limits import MOST_AN_HOUR, MOST_DEPTH
from support.automation.running import run_event_rules
from support.automation.timing import MOMENTS, run_timed_rules

__all__ = [
    "MOMENTS",
    "MOST_AN_HOUR",
    "MOST_DEPTH",
    "Trial",
    "run_event_rules",
    "run_timed_rules",
    "sentence",
    "try_rule",
]
