"""What a person wrote now, without the mail that they answer."""

import re
from functools import cache

from mailparser_reply import EmailMessage
from mailparser_reply.constants import MAIL_LANGUAGES

# Longer texts are looked at so far: the library's patterns are slow on long ones.
LOOKED_AT_CHARACTERS = 20_000
LONG_LINE_CHARACTERS = 500
MAX_CHARACTERS = 200_000
# The library knows thirteen languages; ours that it lacks, and lines of mailers it misses.
_MORE = re.compile(
    r"""^[>\ \t]*(?:
        \d{1,2}[./][^\n]{5,80}(?:пишет|написал[аи]?|написал\(а\))\s*:
      | (?:В\s|\w\w,\s|\w+,\s)?[^\n]{0,90}\d{4}[^\n]{0,90}(?:пишет|написал[аи]?|написал\(а\))\s*:
      | -{2,}\s?(?:Исходное\ сообщение|Пересылаемое\ сообщение|Original[ ]Message
          |Ursprüngliche\ Nachricht|Originalnachricht|Forwarded\ message
          |Weitergeleitete\ Nachricht)\s?-{2,}
      | \*?От(?:\ кого)?:\*?[^\n]{1,200}\n[>\ \t]*\*?(?:Отправлено|Дата|Кому|Sent):
      | _{20,}[\ \t]*\n[>\ \t]*\*?(?:Von|From|От):
    )""",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)


def written_now(text: str) -> str:
    """The newest part of `text`; all of it where the answer stands between the quoted lines."""
    text = re.sub(r"\n[ \t]*(?:\n[ \t]*){3,}\n", "\n\n\n", text[:MAX_CHARACTERS])
    head, tail = text[:LOOKED_AT_CHARACTERS], text[LOOKED_AT_CHARACTERS:]
    starts = [match.start() for match in (_MORE.search(head), _theirs(head)) if match]
    start = min(starts, default=len(head))
    before, quoted = head[:start], head[start:]
    if starts and (_is_answered_between(quoted) or not before.strip()):
        return text.strip()
    new = _without_last_quote(before if starts else head + tail)
    return new.strip() or text.strip()


def _theirs(text: str) -> re.Match[str] | None:
    # Their patterns take the square of a line's length.
    short = "\n".join(
        line if len(line) <= LONG_LINE_CHARACTERS else "x" * len(line) for line in text.split("\n")
    )
    return _headers().search(short)


@cache
def _headers() -> re.Pattern[str]:
    pattern: re.Pattern[str] = EmailMessage(text="", languages=list(MAIL_LANGUAGES)).HEADER_REGEX
    return pattern


def _is_answered_between(quoted: str) -> bool:
    """Whether unquoted text follows quoted lines, other than a signature."""
    lines = quoted.split("\n")
    marked = [number for number, line in enumerate(lines) if line.lstrip().startswith(">")]
    if not marked:
        return False
    for line in lines[marked[0] :]:
        if line.strip() in {"--", "-- "}:
            return False
        if line.strip() and not line.lstrip().startswith(">"):
            return True
    return False


def _without_last_quote(text: str) -> str:
    """Without quoted lines at the very end that no line announces."""
    lines = text.rstrip().split("\n")
    while lines and (lines[-1].lstrip().startswith(">") or not lines[-1].strip()):
        lines.pop()
    return "\n".join(lines)
