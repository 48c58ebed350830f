"""What our mails carry so that an answer finds its ticket: a signed address, a subject mark."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

from django.conf import settings

_SUBJECT = re.compile(r"\[T-(\d{1,18})\]")
_TAGGED = re.compile(r"\+t(\d{1,18})\.([a-z2-7]{16})@", re.IGNORECASE)


def reply_address(address: str, thread: str) -> str:
    """`support@example.com` for the ticket 123: `support+t123.<signature>@example.com`.

    Lower case and digits only, since servers on the way may change the case. An address that
    carries a tag already loses it.
    """
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}+t{thread}.{_signature(thread, settings.SECRET_KEY)}@{domain}"


def thread_in_addresses(addresses: Iterable[str]) -> str:
    """The ticket's id in the first address whose signature is ours; empty where there is none."""
    for address in addresses:
        if match := _TAGGED.search(address):
            thread, given = match.group(1), match.group(2).lower()
            keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
            if any(hmac.compare_digest(given, _signature(thread, key)) for key in keys):
                return thread
    return ""


def subject_with_mark(subject: str, thread: str) -> str:
    """The subject with the ticket's number once, at its end."""
    return f"{_SUBJECT.sub('', subject).strip()} [T-{thread}]".strip()


def thread_in_subject(subject: str) -> str:
    """The ticket's id in a subject; anybody can write it, so the sender must be looked at too."""
    found = _SUBJECT.findall(subject)
    return found[-1] if found else ""


def _signature(thread: str, key: str) -> str:
    """80 bits of HMAC-SHA256 in base32: 16 letters and digits."""
    told = f"amends reply address {thread}".encode()
    digest = hmac.new(key.encode(), told, hashlib.sha256).digest()
    return base64.b32encode(digest[:10]).decode("ascii").lower()
