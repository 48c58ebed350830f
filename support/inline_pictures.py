"""Pictures that came within a mail (`cid:`), put into its HTML, which may load nothing."""

import base64
import re

from support.models import Attachment, Message

# What browsers draw and cannot be a program; SVG can carry scripts.
KINDS = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# Of one mail, in bytes: what is more stays a file under the message.
MOST_BYTES = 5 * 1024 * 1024
_SOURCE = re.compile(r"""\bsrc=(["'])cid:([^"']{1,255})\1""", re.IGNORECASE)


def with_pictures(message: Message) -> str:
    """The message's sanitised HTML with its own pictures as `data:` addresses (RFC 2392, RFC 2397).

    A picture that is missing, too large or of no known kind stays away.
    """
    wanted = {name for _quote, name in _SOURCE.findall(message.html)}
    if not wanted:
        return message.html
    pictures, left = {}, MOST_BYTES
    for file in Attachment.objects.filter(message=message, content_id__in=wanted).order_by("id"):
        if file.content_type in KINDS and file.size <= left and (data := _address(file)):
            pictures[file.content_id] = data
            left -= file.size
    return _SOURCE.sub(lambda found: f'src="{pictures.get(found[2], "")}"', message.html)


def _address(file: Attachment) -> str:
    """Empty where the file is gone from the storage."""
    try:
        with file.file.open("rb") as content:
            coded = base64.b64encode(content.read()).decode("ascii")
    except FileNotFoundError:
        return ""
    return f"data:{file.content_type};base64,{coded}"
