"""Our own e-mail addresses: where mails to us come in, and what answers come from."""

from contextlib import suppress
from email.utils import parseaddr

from django.conf import settings

from backoffice.channels.email.mailboxes import Mailbox, parse_mailbox
from support.models import Queue


def mailboxes() -> list[Mailbox]:
    """Those of SUPPORT_MAILBOXES.

    Raises:
        ValueError: one is written wrongly.
    """
    return [parse_mailbox(url) for url in settings.SUPPORT_MAILBOXES]


def own_addresses() -> frozenset[str]:
    """Every address that mails of ours come from or to, lower case, without plus-tags."""
    set_up = [settings.SUPPORT_EMAIL, settings.DEFAULT_FROM_EMAIL, settings.SERVER_EMAIL]
    of_queues = Queue.objects.exclude(email="").values_list("email", flat=True)
    # One that is written wrongly is `manage.py check`'s business, and keeps no mail from us.
    of_mailboxes: list[str] = []
    with suppress(ValueError):
        of_mailboxes += [mailbox.address for mailbox in mailboxes()]
    found = {parseaddr(one)[1].lower() for one in [*set_up, *of_queues, *of_mailboxes]}
    return frozenset(found - {""})


def sender_of(queue: Queue) -> str:
    """Where the queue's answers come from."""
    return (queue.email or settings.SUPPORT_EMAIL).lower()


def without_tag(address: str) -> str:
    """`support+t1.x@example.com` as `support@example.com`, lower case."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
