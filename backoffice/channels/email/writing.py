"""An outgoing mail, as Django's mail backends take it."""

import re
import secrets
from email.utils import formataddr

from django.core.mail import EmailMultiAlternatives
from django.utils.html import escape, urlize

from backoffice.channels.base import Outgoing
from backoffice.channels.email.automatic import LOOP_MARK
from backoffice.channels.email.tokens import reply_address, subject_with_mark

# Mailers cut long References; the first and the last tell the most (RFC 5322, 3.6.4).
MAX_REFERENCES = 20


def new_message_id(domain: str) -> str:
    """A Message-ID for a mail of ours, without brackets; `domain` is our own."""
    return f"{secrets.token_hex(16)}.{LOOP_MARK}@{domain}"


def compose(outgoing: Outgoing, *, plus_addresses: bool = True) -> EmailMultiAlternatives:
    """The mail with text and HTML, our Message-ID, and what its answer needs.

    With `plus_addresses`, answers and returned mails come to an address that names the ticket;
    without, the subject and the Message-IDs have to do.
    """
    mail = EmailMultiAlternatives(
        subject=_one_line(_subject(outgoing)),
        body=outgoing.text,
        # Also the envelope's, where returned mails go to.
        from_email=_envelope(outgoing, plus_addresses=plus_addresses),
        to=[_named(party.name, party.address) for party in outgoing.to],
        cc=[_named(party.name, party.address) for party in outgoing.copied],
        headers=_headers(outgoing, plus_addresses=plus_addresses),
    )
    mail.attach_alternative(outgoing.html or html_of(outgoing.text), "text/html")
    for file in outgoing.files:
        mail.attach(file.name, file.content, file.content_type)
    return mail


def html_of(text: str) -> str:
    """Plain text as a page that mail programs show as it is: paragraphs, lines, links."""
    paragraphs = re.split(r"\n{2,}", text.strip())
    lines = (urlize(escape(one)).replace("\n", "<br>\n") for one in paragraphs)
    inside = "\n".join(f"<p>{line}</p>" for line in lines)
    return f"<!DOCTYPE html>\n<html>\n<body>\n{inside}\n</body>\n</html>\n"


def _subject(outgoing: Outgoing) -> str:
    if not outgoing.thread:
        return outgoing.subject
    return subject_with_mark(outgoing.subject, outgoing.thread)


def _envelope(outgoing: Outgoing, *, plus_addresses: bool) -> str:
    address = outgoing.sender.address
    return (
        reply_address(address, outgoing.thread) if plus_addresses and outgoing.thread else address
    )


def _headers(outgoing: Outgoing, *, plus_addresses: bool) -> dict[str, str]:
    answers = list(outgoing.answers)
    if len(answers) > MAX_REFERENCES:
        answers = [answers[0], *answers[1 - MAX_REFERENCES :]]
    headers = {
        "Message-ID": f"<{outgoing.message_id}>",
        "From": _named(outgoing.sender.name, outgoing.sender.address),
        "X-Loop": LOOP_MARK,
    }
    if outgoing.thread and plus_addresses:
        reply_to = reply_address(outgoing.sender.address, outgoing.thread)
        headers["Reply-To"] = _named(outgoing.sender.name, reply_to)
    if answers:
        headers["In-Reply-To"] = f"<{answers[-1]}>"
        headers["References"] = " ".join(f"<{one}>" for one in answers)
    if outgoing.is_automatic:
        # RFC 3834; the second is Exchange's word for the same.
        headers["Auto-Submitted"] = "auto-replied" if answers else "auto-generated"
        headers["X-Auto-Response-Suppress"] = "All"
        headers["Precedence"] = "bulk"
    return headers


def _named(name: str, address: str) -> str:
    return formataddr((_one_line(name), address)) if name else address


def _one_line(text: str) -> str:
    return " ".join(text.split())
