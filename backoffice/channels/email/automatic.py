"""Machines that write mails: told apart by RFC 3834, RFC 3462 and what mailers really send."""

import re
from collections.abc import Collection
from email.message import Message

from backoffice.channels.base import Nature, Party
from backoffice.channels.email.headers import header, ids, parties, raw_headers
from backoffice.channels.email.headers import sender as from_header
from backoffice.channels.email.parts import attached_mails, content_of

# What we put into X-Loop, and know our own mails by.
LOOP_MARK = "amends"
# A list has people on it; what comes by one is never answered by a machine all the same.
_BULK = {"bulk", "junk"}
_DAEMONS = re.compile(r"^(mailer-daemon|postmaster|mail-daemon)@", re.IGNORECASE)
_AWAY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Vacation")
_AWAY_SUBJECT = re.compile(
    r"^\W*(automatic reply|auto(matic)?[ -]?response|out of (the )?office|automatische antwort"
    r"|abwesenheits(notiz|nachricht|benachrichtigung)|abwesend|автоответ|автоматический ответ"
    r"|нет на месте|réponse automatique|respuesta automática)\b",
    re.IGNORECASE,
)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|delivery (status notification|has failed|failure)|mail delivery failed"
    r"|returned mail|unzustellbar|failure notice|недоставлен",
    re.IGNORECASE,
)


def nature_of(message: Message, sender: Party, own_addresses: Collection[str]) -> Nature:
    """Who wrote it. `own_addresses` are ours, lower case; what they wrote went in a circle.

    A delivery report that only tells of a delay, or of success, is no bounce.
    """
    if _is_bounce(message, sender):
        return Nature.BOUNCE
    # Somebody's vacation programme may copy our X-Loop into its answer: it is no mail of ours.
    if _is_away(message):
        return Nature.AWAY
    if sender.address in own_addresses or is_marked(message):
        return Nature.LOOP
    return Nature.AUTOMATIC if _is_automatic(message) else Nature.PERSON


def is_marked(message: Message) -> bool:
    """Whether we sent it: it carries our mark."""
    return LOOP_MARK in " ".join(raw_headers(message, "X-Loop")).lower().split()


def may_be_answered(message: Message, nature: Nature, own_addresses: Collection[str]) -> bool:
    """Whether a machine may answer: never another machine, ourselves, or who asks for no such."""
    sender = from_header(message)[0]
    refuses = any(
        raw_headers(message, name) for name in ("X-Auto-Response-Suppress", "X-Loop", "List-Id")
    )
    is_from_list = header(message, "Precedence").lower() == "list"
    is_nobody = sender.address in {"", *own_addresses} or bool(
        re.match(r"(no-?reply|do-?not-?reply|mailer-daemon|postmaster)\b", sender.address)
    )
    return nature is Nature.PERSON and not (refuses or is_from_list or is_nobody)


def returned_ids(message: Message) -> tuple[str, ...]:
    """The Message-IDs of the mails that a report brings back, or tells of in its text."""
    inner = attached_mails(message)
    found = ids(value for mail in inner for value in raw_headers(mail, "Message-ID"))
    if found:
        return tuple(found)
    told = ids(
        match.group()
        for part in message.walk()
        if part.get_content_type() in {"text/plain", "message/disposition-notification"}
        for match in re.finditer(
            r"message-id:\s*<[^<>\s]{1,900}>",
            content_of(part)[0][:100_000].decode("utf-8", "replace"),
            re.IGNORECASE,
        )
    )
    return tuple(told)


def returned_recipients(message: Message) -> tuple[str, ...]:
    """Where our mail was going, by the mail that came back: finds the ticket by its token."""
    return tuple(
        party.address
        for mail in attached_mails(message)
        for name in ("From", "Reply-To", "Return-Path")
        for party in parties(mail, name)
    )


def _is_bounce(message: Message, sender: Party) -> bool:
    if message.get_content_type() == "multipart/report":
        kind = str(message.get_param("report-type", "") or "").lower()
        if kind in {"", "delivery-status"}:
            return _failed(message)
    empty = any(value.strip() == "<>" for value in raw_headers(message, "Return-Path"))
    daemon = bool(_DAEMONS.match(sender.address))
    if raw_headers(message, "X-Failed-Recipients"):
        return True
    return (daemon or empty) and bool(_BOUNCE_SUBJECT.search(header(message, "Subject")))


def _failed(report: Message) -> bool:
    """What the delivery status says (RFC 3464); failed where it says nothing."""
    actions = [
        header(block, "Action").lower()
        for part in report.walk()
        if part.get_content_type() == "message/delivery-status"
        for block in part.walk()
        if raw_headers(block, "Action")
    ]
    return not actions or "failed" in actions


def _is_away(message: Message) -> bool:
    if header(message, "Auto-Submitted").lower().startswith("auto-replied"):
        return True
    if any(raw_headers(message, name) for name in _AWAY_HEADERS):
        return True
    if header(message, "Precedence").lower() == "auto_reply":
        return True
    return bool(_AWAY_SUBJECT.match(header(message, "Subject")))


def _is_automatic(message: Message) -> bool:
    submitted = header(message, "Auto-Submitted").lower()
    return (
        (bool(submitted) and not re.match(r"no\b", submitted))
        or header(message, "Precedence").lower() in _BULK
        or message.get_content_type() == "multipart/report"
    )
