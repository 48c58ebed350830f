"""The agents' screens, and the desk's settings."""

from support.admin import (
    agents,
    calendars,
    flood,
    goodwill,
    inbound,
    macros,
    priority,
    privacy,
    queues,
    rules,
    sla_policies,
    surveys,
    tickets,
    webhooks,
)

__all__ = [
    "agents",
    "calendars",
    "flood",
    "goodwill",
    "inbound",
    "macros",
    "priority",
    "privacy",
    "queues",
    "rules",
    "sla_policies",
    "surveys",
    "tickets",
    "webhooks",
]
