"""The agents' screens, and the desk's settings."""

from support.admin import goodwill, priority, queues, tickets

__all__ = ["goodwill", "priority", "queues", "tickets"]
