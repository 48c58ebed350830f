"""What `manage.py check` says about the desk's settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from backoffice.channels.email.mailboxes import parse_mailbox


def check_mailboxes(**more: Any) -> list[CheckMessage]:
    """Every mailbox of SUPPORT_MAILBOXES is written so that it can be read."""
    found: list[CheckMessage] = []
    for url in settings.SUPPORT_MAILBOXES:
        try:
            parse_mailbox(url)
        except ValueError as error:
            found.append(Error(str(error), hint="See docs/email.md.", id="support.E001"))
    return found
