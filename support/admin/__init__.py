"""The agents' screens, and the desk's settings."""

from support.admin import goodwill, inbound, macros, priority, queues, tickets

__all__ = ["goodwill", "inbound", "macros", "priority", "queues", "tickets"]
