"""A ticket's conversation as one reads it: messages and the changes between, oldest first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import Case, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from backoffice.channels.email.quoting import written_now
from support.models import Attachment, Inbound, Message, Ticket, TicketEvent
from support.wording import Line, lines_of

# Of a longer conversation the rest is a click away.
SHOWN = 30
# A ticket that systems write to can have thousands; the newest tell the most.
SHOWN_EVENTS = 500
Direction, Delivery = Message.Direction, Message.Delivery

# Without one of these there is no quotation, and nothing need be taken apart.
_QUOTES = re.compile(r"^[ \t]*>|^-{2,} ?\w|^_{20,}|:[ \t]*$", re.MULTILINE)
_KEPT_SECONDS = 7 * 24 * 3600
_LOOKS = {"public": "out", "private": "private", "internal": "note"}
_WHAT = {
    "public": later("answer"),
    "private": later("private answer"),
    "internal": later("note, only colleagues see it"),
}
# What the conversation itself shows.
_SAID = {
    TicketEvent.Kind.MESSAGE_IN,
    TicketEvent.Kind.MESSAGE_OUT,
    TicketEvent.Kind.NOTE,
}


@dataclass(slots=True)
class Said:
    """One message: `text` is what its author wrote, `quoted` what only repeats an earlier mail."""

    message: Message
    text: str
    quoted: str
    files: list[Attachment]
    has_html: bool
    has_raw: bool
    # What happened to the ticket before it was said, since the one before.
    changes: list[Line] = field(default_factory=list)

    @property
    def is_customers(self) -> bool:
        return self.message.direction == Direction.IN

    @property
    def look(self) -> str:
        """The class of its frame: in, out, private or note."""
        if self.is_customers:
            return "in"
        return _LOOKS[self.message.kind]

    @property
    def what(self) -> str:
        """What it is, in words."""
        if self.is_customers:
            return _("automatic mail") if self.message.is_automatic else _("customer")
        if self.message.is_automatic:
            return _("automatic answer")
        return str(_WHAT[self.message.kind])

    @property
    def author(self) -> str:
        """Who said it, as their colleagues know them."""
        message = self.message
        if self.is_customers:
            known = message.author_name or message.author_address or str(message.customer or "")
            return known or _("Somebody")
        return str(message.author or message.author_name or _("Automatic"))


@dataclass(slots=True)
class Conversation:
    """`earlier` messages were left out; `changes` came after the last message."""

    said: list[Said]
    earlier: int
    changes: list[Line]

    @property
    def newest(self) -> int:
        """The id of the newest message, 0 without one."""
        return self.said[-1].message.pk if self.said else 0


def conversation_of(ticket: Ticket, *, before: int | None = None) -> Conversation:
    """The newest SHOWN messages, or those before message `before`, with the changes between.

    Seven queries at most, whatever the number of messages.
    """
    rows = ticket.messages.all()
    if before is not None:
        rows = rows.filter(pk__lt=before)
    newest = list(
        rows.select_related("author", "customer")
        .defer("html", "search")
        .annotate(has_html=Case(When(html="", then=Value(value=False)), default=Value(value=True)))
        .order_by("-id")[: SHOWN + 1]
    )
    shown, has_earlier = newest[:SHOWN][::-1], len(newest) > SHOWN
    said = said_of(shown)
    earlier = rows.filter(pk__lt=shown[0].pk).count() if has_earlier else 0
    events = ticket.events.exclude(kind__in=_SAID).select_related("by").order_by("-id")
    if has_earlier:
        events = events.filter(at__gte=shown[0].created_at)
    if before is not None and shown:
        events = events.filter(at__lt=shown[-1].created_at)
    lines = lines_of(list(events[:SHOWN_EVENTS])[::-1])
    return Conversation(said, earlier, _put_between(said, lines))


def said_of(messages: Sequence[Message]) -> list[Said]:
    """Messages with their files, their quotations apart. Two queries.

    They must be annotated with `has_html`, or carry their html.
    """
    files: dict[int | None, list[Attachment]] = {}
    for attachment in Attachment.objects.filter(message__in=messages).order_by("id"):
        files.setdefault(attachment.message_id, []).append(attachment)
    incoming = [message.pk for message in messages if message.direction == Direction.IN]
    raw: set[Any] = set(
        Inbound.objects.filter(message__in=incoming).values_list("message", flat=True)
    )
    lengths = _lengths_written_now(messages)
    return [
        Said(
            message=message,
            text=message.text[: lengths.get(message.pk, len(message.text))].rstrip(),
            quoted=message.text[lengths.get(message.pk, len(message.text)) :].strip(),
            files=files.get(message.pk, []),
            has_html=bool(getattr(message, "has_html", None)),
            has_raw=message.pk in raw,
        )
        for message in messages
    ]


def _lengths_written_now(messages: Sequence[Message]) -> dict[int, int]:
    """How much of each text its author wrote, by message; what quotes nothing is left out.

    Messages never change, and taking one apart takes a millisecond: it is remembered.
    """
    quoting = [m for m in messages if m.direction == Direction.IN and _QUOTES.search(m.text)]
    keys = {f"support.quote.{m.pk}.{len(m.text)}": m for m in quoting}
    known: dict[str, int] = cache.get_many(keys)
    found = {key: _length(m.text) for key, m in keys.items() if key not in known}
    if found:
        cache.set_many(found, timeout=_KEPT_SECONDS)
    return {message.pk: (known | found)[key] for key, message in keys.items()}


def _length(text: str) -> int:
    """Up to where `text` is its author's own; all of it where the quotation is not at the end."""
    own = written_now(text)
    start = text.find(own)
    return start + len(own) if start >= 0 else len(text)


def _put_between(said: list[Said], lines: list[Line]) -> list[Line]:
    """Give each message the lines from before it; back come those after the last."""
    waiting = list(lines)
    for one in said:
        moment: datetime = one.message.created_at
        while waiting and waiting[0].at < moment:
            one.changes.append(waiting.pop(0))
    return waiting
