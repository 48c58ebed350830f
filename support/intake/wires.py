"""Which wire reads what came in by which channel."""

from backoffice.channels.base import Channel as Wire
from backoffice.channels.email import EmailChannel
from support.addresses import own_addresses
from support.models.ticket import Channel


def wire_in(channel: str) -> Wire:
    """The wire that reads `channel`.

    Raises:
        KeyError: none does.
    """
    return {Channel.EMAIL.value: _email}[channel]()


def _email() -> Wire:
    return EmailChannel(own_addresses())
