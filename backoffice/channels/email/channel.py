"""E-mail as a channel: what the desk calls."""

from collections.abc import Collection
from types import TracebackType
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.mail import get_connection

from backoffice.channels.base import Channel, Incoming, Outgoing, Receipt
from backoffice.channels.email.reading import read_id, read_mail
from backoffice.channels.email.sending import attempt
from backoffice.channels.email.writing import compose


class EmailChannel(Channel):
    """Sends through EMAIL_BACKEND, several mails over one line while it is used in a `with`."""

    name: ClassVar[str] = "email"

    def __init__(self, own_addresses: Collection[str] = ()) -> None:
        """`own_addresses`, lower case: those we send from, so that loops are seen."""
        self.own_addresses = frozenset(own_addresses)
        self._connection: Any = None

    def identify(self, raw: bytes) -> str:
        return read_id(raw)

    def parse(self, raw: bytes) -> Incoming:
        return read_mail(raw, own_addresses=self.own_addresses)

    def send(self, outgoing: Outgoing) -> Receipt:
        if self._connection is None:
            self._connection = get_connection(timeout=settings.EMAIL_TIMEOUT)
        mail = compose(outgoing, plus_addresses=settings.SUPPORT_PLUS_ADDRESSES)
        return attempt(mail, self._connection)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
