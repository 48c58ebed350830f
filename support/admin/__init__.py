"""The agents' screens, and the desk's settings."""

from support.admin import goodwill, macros, priority, queues, tickets

__all__ = ["goodwill", "macros", "priority", "queues", "tickets"]
