"""Mails of the desk that are no message of a ticket: links to confirm, questions how it was."""

import logging
import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from support.notices import Notice

log = logging.getLogger(__name__)


class MailRefusedError(Exception):
    """The mail never arrives, however often it is tried; the words are the server's."""


def send_notice(notice: Notice, *, to: str, mail_id: str, reply_to: str = "") -> bool:
    """Send one mail; whether it went out. False: later it may, nothing is lost by trying again.

    `mail_id` makes the Message-ID, so that one sent twice by a crash is known as the same.

    Raises:
        MailRefusedError: the address or the mail is refused for good.
    """
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=notice.subject,
        body=notice.text,
        to=[to],
        reply_to=[reply_to] if reply_to else None,
        headers={
            "Message-ID": f"<{mail_id}@{host}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834
            "X-Auto-Response-Suppress": "All",
        },
    )
    mail.attach_alternative(notice.html, "text/html")
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        if all(code >= 500 for code in codes):  # noqa: PLR2004 - SMTP's 5xx are final
            raise MailRefusedError(str(error)[:500]) from error
        log.warning("A mail waits: %s", error)
        return False
    except ValueError as error:  # an address or header that no mail can have
        raise MailRefusedError(str(error)[:500]) from error
    except OSError as error:  # smtplib's others are OSErrors, too
        log.warning("A mail waits: %s", error)
        return False
    return True
