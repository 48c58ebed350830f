"""What goes out: claimed, sent by its channel, and what became of it."""

from support.outgoing.sending import send_messages, settle_lost

__all__ = ["send_messages", "settle_lost"]
