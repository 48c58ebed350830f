"""The agents' screens, and the desk's settings."""

from support.admin import queues, tickets

__all__ = ["queues", "tickets"]
