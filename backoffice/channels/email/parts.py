"""A mail's body, part by part: texts, HTML and files."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

from backoffice.channels.base import File
from backoffice.channels.email.charsets import clean, decode, decode_words
from backoffice.channels.email.headers import header, raw_headers

# A mail of more parts is read so far; what is left out is told.
MAX_PARTS = 500
MAX_FILES = 100
_BEGIN = re.compile(r"^begin [0-7]{3,4} ([^\n]{1,200})\n", re.MULTILINE)
_ENCODINGS = {"", "7bit", "8bit", "binary", "base64", "quoted-printable"} | {
    "x-uuencode", "uuencode", "uue", "x-uue",
}  # fmt: skip


@dataclass
class Body:
    """What stood in the parts, texts in the order of the mail."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def tell(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def read_body(message: Message) -> Body:
    """Every part below `message`, but none of a mail that is attached to it."""
    body = Body()
    for number, (part, is_alternative) in enumerate(_leaves(message)):
        if number == MAX_PARTS:
            body.tell(f"It has more than {MAX_PARTS} parts: the rest is left out.")
            break
        _read_part(part, body, is_alternative=is_alternative)
    _take_uuencoded(body)
    if len(body.files) > MAX_FILES:
        body.tell(f"It has {len(body.files)} files: the first {MAX_FILES} are kept.")
        del body.files[MAX_FILES:]
    return body


def attached_mails(message: Message) -> list[Message]:
    """The mails inside it, the headers of one where only these came along (RFC 3462)."""
    found: list[Message] = []
    for part, _ in _leaves(message):
        kind = part.get_content_type()
        if kind in {"message/rfc822", "message/global"}:
            inner = part.get_payload()
            found += (
                [one for one in inner if isinstance(one, Message)]
                if isinstance(inner, list)
                else []
            )
        elif kind in {"text/rfc822-headers", "message/rfc822-headers"}:
            found.append(message_from_bytes(content_of(part)[0]))
    return found[:10]


def content_of(part: Message) -> tuple[bytes, bool]:
    """The decoded bytes of a part, and whether its transfer encoding is one that exists."""
    encoding = header(part, "Content-Transfer-Encoding").lower().split(";")[0].strip()
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, binascii.Error, UnicodeError):
        payload = str(part.get_payload()).encode("utf-8", "surrogateescape")
    known = encoding in _ENCODINGS and not any(
        type(defect).__name__.startswith("InvalidBase64") for defect in part.defects
    )
    return (payload if isinstance(payload, bytes) else b""), known


def _leaves(message: Message) -> Iterator[tuple[Message, bool]]:
    """Parts with contents of their own, and whether each is one of several forms of one text."""
    waiting = [(message, False)]
    while waiting:
        part, is_alternative = waiting.pop(0)
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            within = is_alternative or part.get_content_subtype() == "alternative"
            waiting[:0] = [(one, within) for one in inner if isinstance(one, Message)]
        else:
            yield part, is_alternative


def _read_part(part: Message, body: Body, *, is_alternative: bool) -> None:
    kind = part.get_content_type()
    if kind in {"message/rfc822", "message/global"}:
        body.files.append(_mail_file(part))
        return
    content, is_known = content_of(part)
    if not is_known:
        body.tell("A part of it has a broken transfer encoding: it is shown as it came.")
    disposition = header(part, "Content-Disposition").lower()
    name = file_name(part)
    is_file = disposition.startswith("attachment") or (
        bool(name) and not (is_alternative and kind in {"text/plain", "text/html"})
    )
    if kind in {"text/plain", "text/html", "text/enriched"} and not is_file:
        text, was_readable = decode(content, _charset(part))
        if not was_readable:
            body.tell("Its characters are not those of the charset it names: some are lost.")
        (body.htmls if kind == "text/html" else body.texts).append(
            _unflowed(text) if "flowed" in _parameter(part, "format") else text
        )
    elif content or is_file:
        content_id = header(part, "Content-ID").strip("<> ")[:255]
        body.files.append(File(name or _made_name(kind, body), kind, content, content_id))


def file_name(part: Message) -> str:
    """The part's name as a person may see it: no folders, no control characters; may be empty."""
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError, UnicodeError):
        name = ""
    name = re.split(r"[\\/]", decode_words(name))[-1].strip(" .")
    return re.sub(r'[<>:"|?*]', "_", name)[:200]


def _made_name(kind: str, body: Body) -> str:
    extensions = {"text/calendar": "ics", "text/plain": "txt", "text/html": "html"}
    subtype = re.sub(r"[^a-z0-9]", "", kind.rpartition("/")[2])[:10]
    return f"file-{len(body.files) + 1}.{extensions.get(kind, subtype or 'bin')}"


def _mail_file(part: Message) -> File:
    """A mail in a mail, as the file its receiver can open."""
    inner = part.get_payload()
    mails = [one for one in inner if isinstance(one, Message)] if isinstance(inner, list) else []
    mail = mails[0] if mails else None
    try:
        content = mail.as_bytes() if mail is not None else content_of(part)[0]
    except (ValueError, LookupError, UnicodeError, TypeError, AttributeError):
        content = str(inner).encode("utf-8", "replace")
    subject = header(mail, "Subject") if mail is not None else ""
    name = file_name(part) or re.sub(r'[\\/<>:"|?*]', "_", subject)[:80].strip(" .") or "mail"
    return File(name if name.endswith(".eml") else f"{name}.eml", "message/rfc822", content)


def _charset(part: Message) -> str:
    return _parameter(part, "charset")


def _parameter(part: Message, name: str) -> str:
    if not raw_headers(part, "Content-Type"):
        return ""
    try:
        value = part.get_param(name, "")
    except (ValueError, LookupError, TypeError):
        return ""
    return (value[2] if isinstance(value, tuple) else str(value)).lower()[:60]


def _unflowed(text: str) -> str:
    """Lines that were wrapped for the way, joined again (RFC 3676); quoted ones stay."""
    joined: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        is_plain = not line.startswith(">")
        if goes_on and is_plain:
            joined[-1] += line.removeprefix(" ")
        else:
            joined.append(line.removeprefix(" ") if is_plain else line)
        goes_on = is_plain and line.endswith(" ") and line != "-- "
    return "\n".join(joined)


def _take_uuencoded(body: Body) -> None:
    """Files written into the text as mailers did before MIME."""
    for number, text in enumerate(body.texts):
        while match := _BEGIN.search(text):
            end = text.find("\nend", match.end() - 1)
            content = _uudecoded(text[match.end() : end]) if end >= 0 else None
            if content is None:
                break
            name = re.split(r"[\\/]", clean(match.group(1)))[-1].strip(" .") or "file"
            body.files.append(File(name[:200], "application/octet-stream", content))
            text = text[: match.start()] + text[end + 4 :]  # noqa: PLW2901 - what is left of it
        body.texts[number] = text


def _uudecoded(lines: str) -> bytes | None:
    try:
        return b"".join(binascii.a2b_uu(line) for line in lines.split("\n") if line.strip())
    except (binascii.Error, ValueError):
        return None
