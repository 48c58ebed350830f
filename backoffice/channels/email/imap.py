"""Fetching from a mailbox: what was stored is marked or moved only afterwards.

A killed process leaves a mail unmarked, so it is fetched again and recognised by its Message-ID. A
mark of our own tells what was stored, so that a person who reads the mailbox loses us nothing;
servers that keep no marks of others (RFC 3501, PERMANENTFLAGS) get `Seen` alone.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from imap_tools import ImapToolsError, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.mailbox import BaseMailBox

from backoffice.channels.email.mailboxes import Mailbox

STORED = "AmendsStored"
TIMEOUT_SECONDS = 60
# Of a longer mail only so much is fetched; it reads as far as it goes.
MAX_MAIL_BYTES = 50 * 1024 * 1024
# Fetched at once, whichever comes first.
SLICE_BYTES = 4 * 1024 * 1024
SLICE_MAILS = 50
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_KINDS = {"imaps": MailBox, "imap+starttls": MailBoxStartTls, "imap": MailBoxUnencrypted}


class FetchError(Exception):
    """The mailbox could not be read; the message is for whoever set it up."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail as it lies in the mailbox."""

    uid: str
    raw: bytes = field(repr=False)


class MailboxReader:
    """An open mailbox. Use it in a `with`; every call may raise FetchError."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self._box: BaseMailBox | None = None
        self._keeps_marks = False

    def __enter__(self) -> Self:
        try:
            with _told(self.mailbox):
                self._connect()
        except FetchError:
            if self._box is not None:
                self._box.client.shutdown()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._box is not None:
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                self._box.logout()
            self._box = None

    def waiting(self) -> list[str]:
        """The UIDs of the mails that were not stored yet, the oldest first."""
        mark = f"UNKEYWORD {STORED}" if self._keeps_marks else "UNSEEN"
        with _told(self.mailbox):
            uids = self._open().uids(f"UNDELETED {mark}", charset=None)
        return sorted(uids, key=int)

    def fetch(self, uids: Sequence[str]) -> Iterator[Fetched]:
        """These mails, in slices, none of them marked; those that are gone are left out."""
        for some in self._slices(uids):
            with _told(self.mailbox):
                lines = self._fetch(some, f"(UID BODY.PEEK[]<0.{MAX_MAIL_BYTES}>)")
            yield from _mails(lines)

    def mark_stored(self, uids: Sequence[str]) -> None:
        """Say of these that they are ours now; called when they are committed."""
        if not uids:
            return
        flags = f"(\\Seen {STORED})" if self._keeps_marks else "(\\Seen)"
        box = self._open()
        with _told(self.mailbox):
            # Not by imap-tools: it would expunge what others have deleted, too.
            answer, words = box.client.uid("STORE", ",".join(uids), "+FLAGS.SILENT", flags)
            if answer != "OK":
                raise imaplib.IMAP4.error(words)
            if self.mailbox.move_to:
                self._move(box, uids)

    def _connect(self) -> None:
        box = self.mailbox
        options = {} if box.security == "imap" else {"ssl_context": ssl.create_default_context()}
        self._box = _KINDS[box.security](box.host, box.port, timeout=TIMEOUT_SECONDS, **options)
        self._box.login(box.username, box.password, initial_folder=None)
        self._box.folder.set(box.folder)
        flags = self._box.client.response("PERMANENTFLAGS")[1]
        self._keeps_marks = any(b"\\*" in (line or b"") for line in flags)

    def _move(self, box: BaseMailBox, uids: Sequence[str]) -> None:
        folder = self.mailbox.move_to
        if not box.folder.exists(folder):
            box.folder.create(folder)
        box.move(list(uids), folder)

    def _slices(self, uids: Sequence[str]) -> Iterator[list[str]]:
        """These UIDs in slices that memory can hold."""
        for start in range(0, len(uids), 500):
            some: list[str] = []
            size = 0
            for uid, its_size in self._sizes(uids[start : start + 500]).items():
                if some and (size + its_size > SLICE_BYTES or len(some) == SLICE_MAILS):
                    yield some
                    some, size = [], 0
                some.append(uid)
                size += its_size
            if some:
                yield some

    def _sizes(self, uids: Sequence[str]) -> dict[str, int]:
        with _told(self.mailbox):
            lines = self._fetch(uids, "(UID RFC822.SIZE)")
        sizes = {}
        for line in lines:
            uid, size = (pattern.search(_head(line)) for pattern in (_UID, _SIZE))
            if uid and size:
                sizes[uid.group(1).decode()] = int(size.group(1))
        return {uid: sizes[uid] for uid in uids if uid in sizes}

    def _fetch(self, uids: Sequence[str], what: str) -> list[bytes | tuple[bytes, bytes]]:
        answer, lines = self._open().client.uid("FETCH", ",".join(uids), what)
        if answer != "OK":
            raise imaplib.IMAP4.error(lines)
        return [line for line in lines if line]

    def _open(self) -> BaseMailBox:
        if self._box is None:
            raise FetchError("The mailbox is not open.")
        return self._box


@contextmanager
def _told(mailbox: Mailbox) -> Iterator[None]:
    """Whatever the line or the server does becomes a FetchError that names the mailbox."""
    try:
        yield
    except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
        name = f"{mailbox.address} at {mailbox.host}:{mailbox.port}"
        raise FetchError(f"{name}: {str(error) or type(error).__name__}") from error


def _head(line: bytes | tuple[bytes, bytes]) -> bytes:
    return line[0] if isinstance(line, tuple) else line


def _mails(lines: list[bytes | tuple[bytes, bytes]]) -> Iterator[Fetched]:
    for number, line in enumerate(lines):
        if not isinstance(line, tuple):
            continue
        # The UID may stand before the mail or after it.
        after = lines[number + 1] if number + 1 < len(lines) else b""
        match = _UID.search(line[0]) or _UID.search(_head(after))
        if match:
            yield Fetched(match.group(1).decode(), line[1])
