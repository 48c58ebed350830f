"""Bytes to text, whatever their sender calls them."""

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header

from charset_normalizer import from_bytes

# What names mean in the wild: https://encoding.spec.whatwg.org/#names-and-labels
ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "iso-8859-1": "windows-1252",
    "latin1": "windows-1252",
    "us-ascii": "windows-1252",
    "ascii": "windows-1252",
    "iso-8859-8-i": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "x-mac-cyrillic": "mac_cyrillic",
}
# Python's own codecs that are no charset of any mail and can be made to warn or raise.
NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}
# Guessing looks at so many bytes at most.
GUESSED_BYTES = 16_384
GUESSED = ["cp1251", "koi8_r", "cp1252", "gb18030", "big5", "cp932", "euc_kr", "cp1253", "cp1255"]
FIRST_ABOVE_ASCII = 0x80
MUCH = 0.4
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,60}\?[bBqQ]\?")
# Longer headers are cut before they are decoded.
HEADER_CHARACTERS = 20_000


def clean(text: str) -> str:
    """Without what PostgreSQL or a screen cannot take: NUL and control characters, half pairs."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def decode(content: bytes, charset: str = "") -> tuple[str, bool]:
    """The text of `content`, and whether it could be read as what it was said to be.

    UTF-8 wins where it fits and nothing, or ASCII, was said; then the named charset; then a
    guess.
    """
    name = _codec_of(charset)
    for candidate in ("utf-8", name) if name in {"", "cp1252", "utf-8"} else (name,):
        if candidate:
            try:
                return clean(content.decode(candidate)), True
            except (UnicodeError, ValueError):
                continue
    if name:
        return clean(content.decode(name, "replace")), False
    return clean(_guessed(content)), not charset


def decode_words(value: str) -> str:
    """A header's text: encoded words (RFC 2047) and raw bytes made readable, on one line.

    `value` is as the email parser leaves it, raw bytes as surrogates.
    """
    value = value[:HEADER_CHARACTERS]
    if not _ENCODED_WORD.search(value):
        return _one_line(_raw(value))
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, LookupError):
        return _one_line(_raw(value))
    return _one_line("".join(_piece(content, charset) for content, charset in _joined(pieces)))


def _joined(
    pieces: list[tuple[bytes | str, str | None]],
) -> list[tuple[bytes | str, str | None]]:
    """Neighbours of one charset together: some mailers cut inside a character."""
    joined: list[tuple[bytes | str, str | None]] = []
    for content, charset in pieces:
        if joined and charset and joined[-1][1] == charset:
            before = joined[-1][0]
            if isinstance(before, bytes) and isinstance(content, bytes):
                joined[-1] = (before + content, charset)
                continue
        joined.append((content, charset))
    return joined


def _piece(content: bytes | str, charset: str | None) -> str:
    if isinstance(content, str):
        return _raw(content)
    # decode_header writes what stood between encoded words as raw-unicode-escape.
    return decode(content, charset or "")[0]


def _raw(value: str) -> str:
    try:
        content = value.encode("ascii", "surrogateescape")
    except UnicodeError:
        return value
    return decode(content)[0]


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def _codec_of(charset: str) -> str:
    """Python's name of the codec for `charset`; empty where there is none."""
    label = charset.strip().strip("\"'").lower()
    try:
        info = codecs.lookup(ALIASES.get(label, label)) if label.isascii() and label else None
    except (LookupError, ValueError):
        return ""
    if info is None or not info._is_text_encoding or info.name in NO_CHARSETS:
        return ""
    return info.name


def _guessed(content: bytes) -> str:
    """By how much of it is above ASCII: little is Western, much is asked of a library.

    The library alone takes a single umlaut for an Arabic letter.
    """
    letters = content[:GUESSED_BYTES].translate(None, b" \t\r\n")
    above = sum(byte >= FIRST_ABOVE_ASCII for byte in letters)
    if above < len(letters) * MUCH:
        return content.decode("cp1252", "replace")
    best = from_bytes(content[:GUESSED_BYTES], cp_isolation=GUESSED).best()
    return content.decode(best.encoding if best is not None else "cp1252", "replace")
