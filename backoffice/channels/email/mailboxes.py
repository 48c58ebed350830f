"""Where mail is fetched from, as one address says it."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

_PORTS = {"imaps": 993, "imap+starttls": 143, "imap": 143}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One folder of one account. `address` names it everywhere, and is its own e-mail address."""

    address: str
    host: str
    port: int
    # imaps, imap+starttls or imap (without encryption).
    security: str
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    # Where fetched mail is put; empty: it stays, marked.
    move_to: str = ""


def parse_mailbox(url: str) -> Mailbox:
    """A mailbox from imaps://user:password@host:993/INBOX?address=support@example.com&move=Done.

    Signs in user and password that URLs keep for themselves are written as %40 and the like.

    Raises:
        ValueError: something is missing or unknown; the message says what, without the password.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in _PORTS:
        raise ValueError(
            f"A mailbox begins with imaps://, imap+starttls:// or imap://: {_told(url)}"
        )
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := set(options) - {"address", "move"}:
        raise ValueError(f"A mailbox has no option “{min(unknown)}”: address and move are all.")
    username = unquote(parts.username or "")
    if not parts.hostname or not username:
        raise ValueError(f"A mailbox needs a user and a host: {_told(url)}")
    address = options.get("address", username).lower()
    if "@" not in address:
        raise ValueError(f"Add ?address=support@example.com to the mailbox {_told(url)}")
    return Mailbox(
        address=address,
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        security=parts.scheme,
        username=username,
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        move_to=options.get("move", ""),
    )


def _told(url: str) -> str:
    parts = urlsplit(url.strip())
    return f"{parts.scheme}://…@{parts.hostname or ''}{parts.path}"
