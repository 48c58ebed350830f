"""Mails that a mail service posts to us, read by django-anymail."""

from email.policy import SMTP, compat32
from typing import Any

from django.conf import settings

from support.intake.storing import store_inbound
from support.models import Inbound
from support.models.ticket import Channel


def store_posted(message: Any) -> Inbound:
    """Keep an `anymail.inbound.AnymailInboundMessage`, with the address it was delivered to.

    Whatever is raised reaches the service as an error, so that it posts the mail again.
    """
    recipient = str(message.envelope_recipient or "").lower()
    raw = _bytes_of(message)
    if recipient.isascii() and "@" in recipient and not set(recipient) & set("\r\n"):
        # To and Cc do not name it where it was forwarded or copied blindly.
        raw = f"X-Original-To: {recipient}\r\n".encode() + raw
    return store_inbound(Channel.EMAIL, settings.SUPPORT_EMAIL.lower(), raw)


def _bytes_of(message: Any) -> bytes:
    """The mail as bytes; some services bring its parts only, which are put together again."""
    try:
        return bytes(message.as_bytes(policy=SMTP))
    except (ValueError, LookupError, UnicodeError, TypeError, AttributeError):
        return bytes(message.as_bytes(policy=compat32))
