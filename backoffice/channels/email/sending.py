"""One attempt to send a mail, and what is known after it."""

import smtplib
from contextlib import suppress
from typing import Any

from django.core.mail import EmailMessage

from backoffice.channels.base import Outcome, Receipt

_MAX_ERROR = 500


def attempt(mail: EmailMessage, connection: Any) -> Receipt:
    """Send `mail` over `connection`, a Django mail backend.

    The line is opened first, so that a server which cannot be reached is told from one that was
    lost with the text already under way: only after the latter may the mail have arrived.
    """
    try:
        _open(connection)
    except OSError as error:
        return Receipt(Outcome.LATER, error=_words(error))
    try:
        mail.connection = connection
        mail.send()
    except smtplib.SMTPException as error:
        _close(connection)
        return Receipt(_outcome(error), error=_words(error))
    except OSError as error:
        _close(connection)
        return Receipt(Outcome.UNCERTAIN, error=_words(error))
    except ValueError as error:
        # A header or address that no mail can have.
        return Receipt(Outcome.REFUSED, error=_words(error))
    except Exception as error:
        if not hasattr(error, "status_code"):
            raise
        return Receipt(_service_outcome(error), error=_words(error))
    return Receipt(Outcome.SENT, external_id=_service_id(mail))


def _open(connection: Any) -> None:
    """A line that lives: servers hang up on an idle one. smtplib's errors are OSErrors."""
    line = getattr(connection, "connection", None)
    if isinstance(line, smtplib.SMTP):
        try:
            line.noop()
        except smtplib.SMTPServerDisconnected:
            _close(connection)
    connection.open()


def _outcome(error: smtplib.SMTPException) -> Outcome:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        final = bool(codes) and all(code >= 500 for code in codes)  # noqa: PLR2004 - SMTP's 5xx
        return Outcome.REFUSED if final else Outcome.LATER
    if isinstance(error, smtplib.SMTPDataError):
        return Outcome.REFUSED if error.smtp_code >= 500 else Outcome.LATER  # noqa: PLR2004
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return Outcome.UNCERTAIN
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Outcome.REFUSED
    # The sender was refused, or the log-in: our own set-up, not this mail.
    return Outcome.LATER


def _service_outcome(error: Exception) -> Outcome:
    """An error of django-anymail's backends: its HTTP status, None where no answer came."""
    status = getattr(error, "status_code", None)
    if status in {400, 413, 422}:
        return Outcome.REFUSED
    if status in {401, 403, 404, 429, 503}:
        return Outcome.LATER
    return Outcome.UNCERTAIN


def _service_id(mail: EmailMessage) -> str:
    """The Message-ID that a mail service put in place of ours, without brackets."""
    status = getattr(mail, "anymail_status", None)
    given = str(getattr(status, "message_id", "") or "").strip("<>")
    return given if "@" in given else ""


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(
            f"{address}: {code} {_text(words)}"
            for address, (code, words) in error.recipients.items()
        )[:_MAX_ERROR]
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"[:_MAX_ERROR]
    return (str(error) or type(error).__name__)[:_MAX_ERROR]


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words


def _close(connection: Any) -> None:
    """So that the next mail gets a line of its own."""
    with suppress(OSError):
        connection.close()
