"""Raw bytes to a mail, however odd: it never raises, and tells what it could not read."""

import logging
import re
from collections.abc import Collection
from contextlib import suppress
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser

from backoffice.channels.base import Incoming, Nature, Party
from backoffice.channels.email import automatic, headers, markup, parts, quoting
from backoffice.channels.email.charsets import decode

logger = logging.getLogger(__name__)

MAX_SUBJECT_CHARACTERS = 300
# Longer texts are cut and said to be; the raw mail is kept.
MAX_TEXT_CHARACTERS = quoting.MAX_CHARACTERS


def read_mail(raw: bytes, *, own_addresses: Collection[str] = ()) -> Incoming:
    """The mail in `raw`. `own_addresses` are those we send from, lower case.

    Whatever breaks is told in `problems`; at the worst the text is the beginning of the raw mail.
    """
    try:
        return _read(message_from_bytes(raw), raw, own_addresses)
    except Exception:  # a stranger's bytes must not stop the desk, whatever they break
        logger.warning("A mail could not be read as one", exc_info=True)
        return _unreadable(raw)


def read_id(raw: bytes) -> str:
    """The mail's Message-ID, or the one `read_mail` would make for it; reads the headers only."""
    with suppress(Exception):  # as in read_mail
        message: Message = BytesHeaderParser().parsebytes(raw)
        return headers.message_id(message) or headers.artificial_id(message, raw)
    return headers.artificial_id(Message(), b"\n\n" + raw)


def read_sender(raw: bytes) -> str:
    """The address it says it comes from; reads the headers only."""
    with suppress(Exception):  # as in read_mail
        return headers.sender(BytesHeaderParser().parsebytes(raw))[0].address
    return ""


def _read(message: Message, raw: bytes, own_addresses: Collection[str]) -> Incoming:
    sender, sender_problem = _sender(message, own_addresses)
    sent_at, date_problem = headers.sent_at(message)
    body = parts.read_body(message)
    text, full_text, html = _texts(body)
    nature = automatic.nature_of(message, sender, own_addresses)
    answers = headers.answers(message)
    recipients = _recipients(message)
    if nature is not Nature.PERSON:
        # The mail that came back names itself better than the report does.
        answers = tuple(dict.fromkeys([*automatic.returned_ids(message), *answers]))
        recipients += tuple(map(Party, automatic.returned_recipients(message)))
    return Incoming(
        message_id=headers.message_id(message) or headers.artificial_id(message, raw),
        sender=sender,
        recipients=recipients,
        copied=tuple(headers.parties(message, "Cc")),
        subject=headers.header(message, "Subject")[:MAX_SUBJECT_CHARACTERS],
        text=text,
        full_text=full_text,
        html=html,
        sent_at=sent_at,
        answers=answers,
        files=tuple(body.files),
        nature=nature,
        may_be_answered=automatic.may_be_answered(message, nature, own_addresses),
        problems=tuple(filter(None, (sender_problem, date_problem, *body.problems))),
    )


def _sender(message: Message, own_addresses: Collection[str]) -> tuple[Party, str]:
    """As `headers.sender`; behind a form of ours that sends for somebody, that somebody."""
    sender, problem = headers.sender(message)
    if sender.address in own_addresses and not automatic.is_marked(message):
        asked = [one for one in headers.parties(message, "Reply-To") if one.address]
        if others := [one for one in asked if one.address not in own_addresses]:
            return others[0], f"It was sent from {sender.address} for this address."
    return sender, problem


def _recipients(message: Message) -> tuple[Party, ...]:
    """To, and where the servers on the way say that it went."""
    names = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
    return tuple(dict.fromkeys(one for name in names for one in headers.parties(message, name)))


def _texts(body: parts.Body) -> tuple[str, str, str]:
    """What was written now, all of it, and the sanitised HTML."""
    whole = "\n\n".join(body.htmls)
    if len(whole) > markup.MAX_CHARACTERS:
        body.tell("Its HTML is longer than a million characters: the rest is left out.")
    html = markup.sanitised(whole) if whole.strip() else ""
    plain = "\n\n".join(text.strip() for text in body.texts if text.strip())
    full = plain or markup.text_of(whole)
    if len(full) > MAX_TEXT_CHARACTERS:
        body.tell(f"Its text has {len(full)} characters: the first {MAX_TEXT_CHARACTERS} are kept.")
        full = full[:MAX_TEXT_CHARACTERS]
    new = quoting.written_now(full) if plain else _new_in(whole, full)
    return new[:MAX_TEXT_CHARACTERS], full, html


def _new_in(html: str, full: str) -> str:
    return quoting.written_now(markup.text_of(html, with_quotes=False) or full)


def _unreadable(raw: bytes) -> Incoming:
    """What can be told of bytes that are no mail: their beginning, and an id made of them."""
    text = decode(raw[:20_000])[0]
    found = re.search(
        r"^from:.*?([^\s<>@,;:\"]{1,64}@[^\s<>@,;:\"]{1,255})", text, re.IGNORECASE | re.MULTILINE
    )
    subject = re.search(r"^subject:[ \t]*([^\n]{0,300})", text, re.IGNORECASE | re.MULTILINE)
    nobody = Message()
    return Incoming(
        message_id=headers.artificial_id(nobody, b"\n\n" + raw),
        sender=Party(found.group(1).lower() if found else ""),
        subject=subject.group(1).strip() if subject else "",
        text=text,
        full_text=text,
        may_be_answered=False,
        problems=("It cannot be read as a mail: this is its beginning, as it came.",),
    )
