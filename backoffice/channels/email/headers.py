"""A mail's headers as a person or the desk needs them."""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from backoffice.channels.base import Party
from backoffice.channels.email.charsets import HEADER_CHARACTERS, decode_words

_ID = re.compile(r"<\s*([^<>\s]{1,900})\s*>")
_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\"]{1,64}@[^@\s<>()\[\],;:\"]{1,255}")
# The nearest of a long conversation are enough.
MAX_ANSWERS = 50
MAX_PARTIES = 200
MAX_ID_BYTES = 900


def raw_headers(message: Message, name: str) -> list[str]:
    """Every value of a header, unfolded, raw bytes as surrogates."""
    wanted = name.lower()
    return [
        re.sub(r"\r?\n[ \t]?", " ", str(value))[:HEADER_CHARACTERS]
        for key, value in message.raw_items()
        if key.lower() == wanted
    ]


def header(message: Message, name: str) -> str:
    """The first value as text; empty where the header is missing."""
    return next((decode_words(value) for value in raw_headers(message, name)), "")


def parties(message: Message, name: str) -> list[Party]:
    """The addresses of a header, lower case, broken ones as well as they can be read."""
    found = []
    for value in raw_headers(message, name):
        for label, address in _addresses(value):
            if party := _party(label, address):
                found.append(party)
        if not found and (match := _ADDRESS.search(decode_words(value))):
            found.append(Party(match.group().lower()))
    return list(dict.fromkeys(found))[:MAX_PARTIES]


def _addresses(value: str) -> list[tuple[str, str]]:
    # Raw bytes are made readable before they are parsed, encoded words after it: they may hide
    # commas and brackets.
    readable = value if value.isascii() else decode_words(value)
    try:
        return getaddresses([readable])
    except (ValueError, IndexError, TypeError, RecursionError):
        return []


def _party(label: str, address: str) -> Party | None:
    match = _ADDRESS.fullmatch(address.strip())
    name = decode_words(label)[:200]
    if match:
        return Party(match.group().lower(), name)
    if inside := _ADDRESS.search(f"{address} {name}"):
        return Party(inside.group().lower(), name)
    return None


def sender(message: Message) -> tuple[Party, str]:
    """Who wrote it, and what was wrong with the From header, in words.

    Without a readable From: Sender, then Reply-To, then Return-Path; an empty address where none
    of them tells.
    """
    froms = parties(message, "From")
    if len(froms) == 1:
        return froms[0], ""
    if froms:
        others = ", ".join(party.address for party in froms[1:4])
        return froms[0], f"It has several senders: also {others}."
    for name in ("Sender", "Reply-To", "Return-Path"):
        if found := parties(message, name):
            return found[0], f"It has no readable From address; this one is from {name}."
    name = header(message, "From")[:200]
    return Party("", name), "It has no readable sender address."


def sent_at(message: Message) -> tuple[datetime | None, str]:
    """The Date in UTC, and what was wrong with it, in words."""
    value = header(message, "Date")
    if not value:
        return None, ""
    try:
        moment = parsedate_to_datetime(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None, f"Its date cannot be read: “{value[:60]}”."
    return moment, ""


def ids(values: Iterable[str]) -> list[str]:
    """The Message-IDs (without brackets) in these header values, in order, once each."""
    return list(dict.fromkeys(found for value in values for found in _ID.findall(value)))


def message_id(message: Message) -> str:
    """Its own Message-ID, without brackets; empty where it has none that can be read."""
    values = raw_headers(message, "Message-ID")
    found = ids(values)
    if found:
        return _printable(found[0])
    bare = values[0].strip().strip("<>") if values else ""
    return _printable(bare) if bare and not re.search(r"\s", bare) else ""


def artificial_id(message: Message, raw: bytes) -> str:
    """An id for a mail that brings none: a hash of its date, sender and body."""
    _, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    told = f"{header(message, 'Date')}\n{header(message, 'From')}\n".encode()
    return f"{hashlib.sha256(told + body).hexdigest()}@no-message-id.invalid"


def answers(message: Message) -> tuple[str, ...]:
    """What it says it answers, the nearest first: In-Reply-To, then References backwards."""
    near = ids(raw_headers(message, "In-Reply-To"))
    far = ids(raw_headers(message, "References"))
    return tuple(dict.fromkeys(_printable(one) for one in [*near, *reversed(far)]))[:MAX_ANSWERS]


def _printable(text: str) -> str:
    """Short enough for a database's index, which counts bytes."""
    return decode_words(text).encode()[:MAX_ID_BYTES].decode("utf-8", "ignore")
