"""Keeping what comes in, before anything is made of it."""

import hashlib
from functools import partial

from django.db import transaction

from backoffice.channels.email.reading import read_sender
from support import signals
from support.intake.wires import wire_in
from support.models import Inbound
from support.models.ticket import Channel

LONGEST_ID = 900


def store_inbound(channel: str, account: str, raw: bytes, external_id: str = "") -> Inbound:
    """Keep `raw`, which came by `channel` to the mailbox, number or page `account`.

    When this returns outside a transaction, it is committed: only then may the sender be told so.
    What came before (by `external_id`, or what the channel makes of the contents) gives the row of
    then. Whoever handles it is woken after the commit.
    """
    known_by = (external_id or wire_in(channel).identify(raw))[:LONGEST_ID]
    row, is_new = Inbound.objects.get_or_create(
        channel=channel, account=account[:320], external_id=known_by, defaults={"raw": raw}
    )
    if not is_new and channel == Channel.EMAIL and not external_id:
        row, is_new = _or_another(row, raw)
    if is_new:
        # Robust: it is kept, whatever becomes of the waking.
        transaction.on_commit(partial(signals.inbound_stored.send, sender=Inbound), robust=True)
    return row


def _or_another(row: Inbound, raw: bytes) -> tuple[Inbound, bool]:
    """A mail of somebody else's under a Message-ID that was used before is no duplicate.

    Broken mailers repeat theirs, and whoever guesses one could keep a mail from us.
    """
    sender = read_sender(raw)
    if sender == read_sender(bytes(row.raw)):
        return row, False
    digest = hashlib.sha256(sender.encode()).hexdigest()[:16]
    return Inbound.objects.get_or_create(
        channel=row.channel,
        account=row.account,
        external_id=f"{row.external_id}#{digest}",
        defaults={"raw": raw},
    )
