"""Goodwill from a ticket: within the giver's limits at once, above them through finance."""

from support.goodwill.giving import Preview, Wish, give, preview
from support.goodwill.limits import Left, Limits, limits_left
from support.goodwill.page import page_part

__all__ = [
    "Left",
    "Limits",
    "Preview",
    "Wish",
    "give",
    "limits_left",
    "page_part",
    "preview",
]
