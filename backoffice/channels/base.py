"""What every channel turns its wire into, so that the desk needs to know none of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class Nature(StrEnum):
    """Who or what wrote a message."""

    PERSON = "person"
    # A machine: newsletters, lists, notifications, receipts.
    AUTOMATIC = "automatic"
    # A machine that answers for a person who is away.
    AWAY = "away"
    # The news that a message of ours could not be delivered.
    BOUNCE = "bounce"
    # Ourselves: a message of ours that came back in a circle.
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody at the other end: the channel's own address (lower case for mail) and a name."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file that came, or goes, with a message. `content_type` is what its sender claims."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
    # Of an image that the HTML shows.
    content_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One message as it was read. Texts are clean Unicode that any database takes."""

    # The channel's own id, or one made of the contents where it has none.
    message_id: str
    sender: Party
    recipients: tuple[Party, ...] = ()
    copied: tuple[Party, ...] = ()
    subject: str = ""
    # What the person wrote now, without what they quote.
    text: str = ""
    # All of it, quotes included.
    full_text: str = ""
    # Sanitised, all of it; loads nothing from elsewhere. Empty where there was none.
    html: str = ""
    # When its sender says it was written, UTC; None where that cannot be read.
    sent_at: datetime | None = None
    # The ids of the messages that this one answers, the nearest first.
    answers: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    nature: Nature = Nature.PERSON
    # Whether a machine of ours may answer this.
    may_be_answered: bool = True
    # What could not be read, in words.
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to be sent. `message_id` is ours, made and stored before the first attempt."""

    message_id: str
    sender: Party
    to: tuple[Party, ...]
    copied: tuple[Party, ...] = ()
    subject: str = ""
    text: str
    # The same with format, where the channel has such; empty: made of the text.
    html: str = ""
    # The ids of the conversation so far, the newest last.
    answers: tuple[str, ...] = ()
    # What an answer to this shall carry, so that it finds its way: a ticket's id.
    thread: str = ""
    files: tuple[File, ...] = ()
    is_automatic: bool = False


class Outcome(StrEnum):
    """What became of an attempt to send."""

    SENT = "sent"
    # Surely not sent, and never will be: a wrong address, a refused text.
    REFUSED = "refused"
    # Surely not sent, but later it may go: the other end is busy, away or wrongly set up.
    LATER = "later"
    # The line broke after the text went out: it may have arrived.
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of one attempt, with the other end's words."""

    outcome: Outcome
    # The other end's own id, where it gives one that answers will refer to.
    external_id: str = ""
    error: str = ""


class Channel(ABC):
    """One way to reach people, and be reached."""

    # As `support.models.Channel` spells it.
    name: ClassVar[str]

    @abstractmethod
    def identify(self, raw: bytes) -> str:
        """The id that tells whether `raw` came before; never raises, never empty."""

    @abstractmethod
    def parse(self, raw: bytes) -> Incoming:
        """The message in `raw`; never raises, what cannot be read is told in `problems`."""

    @abstractmethod
    def send(self, outgoing: Outgoing) -> Receipt:
        """Try once to send; never raises for what the other end or the line does."""
