"""The agents' screens, and the desk's settings."""

from support.admin import priority, queues, tickets

__all__ = ["priority", "queues", "tickets"]
