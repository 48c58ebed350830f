"""Files that come with messages: checked, kept outside the web root, served as downloads."""

import hashlib
import unicodedata
from pathlib import PurePosixPath
from typing import BinaryIO

import puremagic
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _

from support.models import Attachment, Draft, Message

# What a computer would run, by what the bytes say.
PROGRAMS = {
    "application/x-dosexec",
    "application/x-msdownload",
    "application/vnd.microsoft.portable-executable",
    "application/x-executable",
    "application/x-mach-binary",
    "application/x-sharedlib",
}
# ... and by what the name says, whatever the bytes are.
PROGRAM_ENDINGS = {
    ".exe", ".com", ".scr", ".bat", ".cmd", ".ps1", ".vbs", ".js", ".jse", ".wsf", ".hta", ".msi",
    ".dll", ".jar", ".lnk", ".pif", ".reg", ".cpl",
}  # fmt: skip
LONGEST_NAME = 200


def store_attachment(
    name: str,
    content: bytes | BinaryIO,
    *,
    message: Message | None = None,
    draft: Draft | None = None,
    content_id: str = "",
) -> Attachment:
    """Keep a file of a message or a draft.

    Raises:
        ValidationError: it is larger than ATTACHMENT_MAX_BYTES, empty, or a program.
    """
    data = (
        content if isinstance(content, bytes) else content.read(settings.ATTACHMENT_MAX_BYTES + 1)
    )
    name = clean_name(name)
    kind = check_attachment(name, data)
    digest = hashlib.sha256(data).hexdigest()
    # The stored name tells nothing and repeats nothing that a sender chose.
    return Attachment.objects.create(
        message=message,
        draft=draft,
        name=name,
        content_type=kind,
        size=len(data),
        sha256=digest,
        file=ContentFile(data, name=f"{digest[:32]}.bin"),
        content_id=content_id[:255],
    )


def check_attachment(name: str, data: bytes) -> str:
    """What kind of file it is (a MIME type), if it may be kept.

    Raises:
        ValidationError: it is larger than ATTACHMENT_MAX_BYTES, empty, or a program.
    """
    limit = settings.ATTACHMENT_MAX_BYTES
    if len(data) > limit:
        raise ValidationError(
            {
                "file": _("“%(name)s” is too large: at most %(most)s MB are possible.")
                % {"name": name, "most": limit // 1024 // 1024}
            }
        )
    if not data:
        raise ValidationError({"file": _("“%(name)s” is empty.") % {"name": name}})
    kind = content_type_of(data, name)
    ending = PurePosixPath(name).suffix.lower()
    if kind in PROGRAMS or ending in PROGRAM_ENDINGS:
        raise ValidationError(
            {
                "file": _("“%(name)s” is a program: send a picture, text or document.")
                % {"name": name}
            }
        )
    return kind


def content_type_of(data: bytes, name: str) -> str:
    """What the bytes say they are; text and what nobody knows stay plain."""
    try:
        found = puremagic.from_string(data[:8192], mime=True, filename=name)
    except (puremagic.PureError, ValueError):
        found = ""
    if found:
        return str(found)[:100]
    try:
        data[:8192].decode("utf-8")
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"


def clean_name(name: str) -> str:
    """A file's name without path, control characters and tricks of direction; never empty."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .")
    if len(printable) > LONGEST_NAME:
        stem, dot, ending = printable.rpartition(".")
        printable = f"{stem[: LONGEST_NAME - len(ending) - 1]}{dot}{ending}"[-LONGEST_NAME:]
    return printable or "attachment"
