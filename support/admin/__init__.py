"""The agents' screens, and the desk's settings."""

from support.admin import (
    calendars,
    flood,
    goodwill,
    inbound,
    macros,
    priority,
    privacy,
    queues,
    sla_policies,
    surveys,
    tickets,
)

__all__ = [
    "calendars",
    "flood",
    "goodwill",
    "inbound",
    "macros",
    "priority",
    "privacy",
    "queues",
    "sla_policies",
    "surveys",
    "tickets",
]
