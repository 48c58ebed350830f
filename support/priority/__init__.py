"""How urgent a ticket is, why, and what other weights would make of the queue."""

from support.priority.scoring import compute_scores, refresh_scores, refresh_waiting
from support.priority.words import sentiment_of

__all__ = ["compute_scores", "refresh_scores", "refresh_waiting", "sentiment_of"]
