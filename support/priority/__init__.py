"""How urgent a ticket is, why, and what other weights would make of the queue."""

from support.priority.preview import preview_weights
from support.priority.scoring import compute_scores, refresh_scores, refresh_waiting
from support.priority.weights import PARTS, change_weights, current_weights
from support.priority.words import sentiment_of

__all__ = [
    "PARTS",
    "change_weights",
    "compute_scores",
    "current_weights",
    "preview_weights",
    "refresh_scores",
    "refresh_waiting",
    "sentiment_of",
]
