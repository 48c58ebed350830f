"""From a mailbox to our own keeping."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from backoffice.channels.email.imap import SLICE_MAILS, MailboxReader
from backoffice.channels.email.mailboxes import Mailbox
from support.intake.storing import store_inbound
from support.models.ticket import Channel

# Below a minute, so that other work gets its turn; the next run goes on.
LONGEST_SECONDS = 50.0


def fetch_mail(mailbox: Mailbox, *, seconds: float = LONGEST_SECONDS) -> int:
    """Keep every mail that waits there, for about `seconds`; how many were fetched.

    Each is committed before the mailbox is told that we have it: killed in between, it is fetched
    once more and recognised. While another process fetches there, this one leaves (0).

    Raises:
        FetchError: the mailbox cannot be reached or read; what was kept by then stays.
    """
    until = time.monotonic() + seconds
    fetched = 0
    with _alone(mailbox) as is_alone:
        if not is_alone:
            return 0
        with MailboxReader(mailbox) as reader:
            kept: list[str] = []
            for mail in reader.fetch(reader.waiting()):
                store_inbound(Channel.EMAIL, mailbox.address, mail.raw)
                kept.append(mail.uid)
                fetched += 1
                if len(kept) == SLICE_MAILS:
                    reader.mark_stored(kept)
                    kept.clear()
                if time.monotonic() > until:
                    break
            reader.mark_stored(kept)
    return fetched


@contextmanager
def _alone(mailbox: Mailbox) -> Iterator[bool]:
    """Whether no other process fetches there; the lock ends with the connection at the latest."""
    name = f"{mailbox.username}@{mailbox.host}:{mailbox.port}/{mailbox.folder}".encode()
    key = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
