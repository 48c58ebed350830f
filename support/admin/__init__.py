"""The agents' screens, and the desk's settings."""

from support.admin import (
    flood,
    goodwill,
    inbound,
    macros,
    priority,
    privacy,
    queues,
    surveys,
    tickets,
)

__all__ = [
    "flood",
    "goodwill",
    "inbound",
    "macros",
    "priority",
    "privacy",
    "queues",
    "surveys",
    "tickets",
]
