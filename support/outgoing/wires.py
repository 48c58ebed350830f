"""Which wire carries which message."""

from contextlib import ExitStack
from typing import Self

from backoffice.channels.base import Channel as Wire
from backoffice.channels.email import EmailChannel
from support.models.ticket import Channel

# Who asked on a page, by the API or on the phone is answered by mail.
BY_MAIL = (Channel.EMAIL, Channel.WEB, Channel.API, Channel.STAFF)


class Wires:
    """Open lines, kept for one run of sending. Use it in a `with`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._email: EmailChannel | None = None

    def of(self, channel: str) -> Wire | None:
        """The wire for `channel`; None where none is set up."""
        if channel not in BY_MAIL:
            return None
        if self._email is None:
            self._email = self._stack.enter_context(EmailChannel())
        return self._email

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
