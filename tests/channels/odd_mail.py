# ruff: noqa: E501 - a mail a line
"""Mails as they really come: each is bytes, made here, with the oddity in its name."""

import base64
import binascii


def mail(*headers: str | bytes, body: str | bytes = "Hello.") -> bytes:
    """Header lines and a body, as they are given."""
    lines = [line.encode() if isinstance(line, str) else line for line in headers]
    end = body.encode() if isinstance(body, str) else body
    return b"\r\n".join(lines) + b"\r\n\r\n" + end


FROM = "From: Ada Weber <Ada@Example.com>"
TO = "To: support@amends.example"
SUBJECT = "Subject: No internet"
ID = "Message-ID: <one@example.com>"
DATE = "Date: Sat, 21 Nov 2026 10:00:00 +0100"
USUAL = (FROM, TO, SUBJECT, ID, DATE)


def typed(charset: str, text: str, *, encoding: str = "8bit") -> bytes:
    return mail(
        *USUAL,
        f'Content-Type: text/plain; charset="{charset}"',
        f"Content-Transfer-Encoding: {encoding}",
        body=text.encode(charset),
    )


def parts(kind: str, *inner: bytes, headers: tuple[str, ...] = USUAL) -> bytes:
    """A multipart; `inner` are its parts with their headers."""
    edge = b"=_edge_" + str(len(inner)).encode() + kind.replace("/", "").encode()[:8]
    body = b"".join(b"--" + edge + b"\r\n" + one + b"\r\n" for one in inner) + b"--" + edge + b"--"
    return mail(*headers, f'Content-Type: multipart/{kind}; boundary="{edge.decode()}"', body=body)


def uuencoded(name: str, content: bytes) -> str:
    lines = [content[at : at + 45] for at in range(0, len(content), 45)]
    encoded = b"".join(binascii.b2a_uu(line) for line in lines).decode()
    return f"begin 644 {name}\n{encoded}`\nend\n"


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
PICTURE = b"\r\n".join((
    b"Content-Type: image/png; name=logo.png",
    b"Content-Transfer-Encoding: base64",
    b"Content-ID: <logo@example.com>",
    b"Content-Disposition: inline; filename=logo.png",
    b"",
    base64.b64encode(PNG),
))  # fmt: skip


def html(page: str) -> bytes:
    return b"Content-Type: text/html; charset=utf-8\r\n\r\n" + page.encode()


def plain(text: str) -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode()


def bounce(original: bytes, *, action: str = "failed") -> bytes:
    """A delivery report (RFC 3464) about `original`."""
    status = (
        "Content-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; ada@example.com\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
    ).encode()
    return parts(
        "report; report-type=delivery-status",
        plain("Your message could not be delivered."),
        status,
        b"Content-Type: message/rfc822\r\n\r\n" + original,
        headers=(
            "From: MAILER-DAEMON@mx.example.com",
            "Return-Path: <>",
            TO,
            "Subject: Undelivered Mail Returned to Sender",
            "Message-ID: <report@mx.example.com>",
            "Auto-Submitted: auto-replied",
            DATE,
        ),
    )


def nested(depth: int) -> bytes:
    """Multiparts in multiparts, deeper than Python recurses."""
    opened = "".join(
        f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n'
        for level in range(depth)
    )
    return mail(*USUAL)[: -len("\r\n\r\nHello.")] + f"\r\n{opened}\r\ndeep down".encode()


# Each must give a message: what is asked of all of them stands in test_reading.
ODD: dict[str, bytes] = {
    "empty": b"",
    "no headers": b"just words",
    "only newlines": b"\r\n\r\n\r\n",
    "no body": b"\r\n".join(line.encode() for line in USUAL),
    "no from": mail(TO, SUBJECT, ID, DATE),
    "several from": mail("From: a@example.com, b@example.com", TO, SUBJECT, ID),
    "two from headers": mail("From: a@example.com", "From: b@example.com", TO, ID),
    "broken from": mail("From: Ada <ada@@example..com", TO, SUBJECT, ID),
    "from without address": mail("From: Ada Weber", TO, SUBJECT, ID),
    "group from": mail("From: undisclosed-recipients:;", TO, SUBJECT, ID),
    "raw 8 bit": mail(
        "From: Jürgen <j@example.com>".encode("windows-1252"),
        "Subject: Störung".encode("windows-1252"),
        body="Grüße".encode("windows-1252"),
    ),
    "unknown charset": mail(*USUAL, "Content-Type: text/plain; charset=klingon", body=b"n\xfcqneH"),
    "no charset at all": mail(*USUAL, "Content-Type: text/plain", body="Не работает".encode("cp1251")),
    "charset is a codec": mail(*USUAL, "Content-Type: text/plain; charset=unicode_escape", body=rb"\d"),
    "charset rot13": mail(*USUAL, "Content-Type: text/plain; charset=rot13", body="uryyb"),
    "bad base64": mail(*USUAL, "Content-Transfer-Encoding: base64", body="SGVsbG8g*!*d29ybGQ"),
    "bad quoted-printable": mail(*USUAL, "Content-Transfer-Encoding: quoted-printable", body="a=ZZ=3"),
    "unknown encoding": mail(*USUAL, "Content-Transfer-Encoding: 9bit", body="Hello."),
    "uuencode": mail(*USUAL, body="See below.\n" + uuencoded("bill.txt", b"EUR 49.90\n" * 20)),
    "broken uuencode": mail(*USUAL, body="begin 644 x\n\x80\x81nonsense\nend\n"),
    "x-uuencode": mail(*USUAL, "Content-Transfer-Encoding: x-uuencode", body=uuencoded("a", b"hi")),
    "no content type": mail(FROM, TO, SUBJECT, ID),
    "odd content type": mail(*USUAL, "Content-Type: text"),
    "empty content type": mail(*USUAL, "Content-Type:"),
    "content type with no boundary": mail(*USUAL, "Content-Type: multipart/mixed"),
    "boundary never comes": mail(*USUAL, "Content-Type: multipart/mixed; boundary=x", body="lost"),
    "hour 29": mail(FROM, TO, SUBJECT, ID, "Date: Sat, 21 Nov 2026 29:00:00 +0100"),
    "date of words": mail(FROM, TO, SUBJECT, ID, "Date: yesterday"),
    "date in year 0": mail(FROM, TO, SUBJECT, ID, "Date: Sat, 21 Nov 0000 10:00:00 +9999"),
    "huge header": mail(*USUAL, "X-Long: " + "x" * 300_000),
    "huge subject": mail(FROM, TO, ID, "Subject: " + "=?utf-8?q?=C3=BC?= " * 20_000),
    "many recipients": mail(FROM, SUBJECT, "To: " + ", ".join(f"u{n}@x.example" for n in range(5_000))),
    "many headers": mail(*USUAL, *(f"X-{n}: y" for n in range(5_000))),
    "megabytes of html": parts("alternative", html("<div>" + "<p>word</p>" * 400_000)),
    "deep html": parts("alternative", html("<div>" * 5_000 + "deep" + "</div>" * 5_000)),
    "deep multiparts": nested(3_000),
    "many parts": parts("mixed", *[plain("x")] * 1_000),
    "inline image": parts("related", html('<p>Hi <img src="cid:logo@example.com">'), PICTURE),
    "mail in mail": parts("mixed", plain("See this."), b"Content-Type: message/rfc822\r\n\r\n" + mail(*USUAL)),
    "mail in mail in mail": parts(
        "mixed",
        b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n" + mail(*USUAL),
    ),
    "broken mail in mail": mail(*USUAL, "Content-Type: message/rfc822; charset=x", body=b"\xff\xfe"),
    "file name is a space": parts(
        "mixed",
        plain("See this."),
        b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=" "\r\n\r\n%PDF-',
    ),
    "file name leaves its folder": parts(
        "mixed",
        b'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="../../etc/passwd"\r\n\r\nx',
    ),
    "nul": mail(*USUAL, body=b"a\x00b\x1bc"),
    "utf-7 with half a pair": mail(*USUAL, "Content-Type: text/plain; charset=utf-7", body="a +2AA- b"),
    "utf-16 without its mark": mail(*USUAL, "Content-Type: text/plain; charset=utf-16", body=b"\xd8\x00x"),
    "broken encoded word": mail(FROM, TO, ID, "Subject: =?utf-8?B?w7w=w7w?= =?x?Q?=FF?="),
    "broken message id": mail(FROM, TO, SUBJECT, "Message-ID: <not one"),
    "long message id": mail(FROM, TO, SUBJECT, "Message-ID: <" + "ü€" * 440 + "@x>", "In-Reply-To: <" + "ж" * 890 + ">"),
    "random long message id": mail(FROM, TO, SUBJECT, b"Message-ID: <" + bytes(0x80 + n * 37 % 64 for n in range(800)) + b">"),
    "empty message id": mail(FROM, TO, SUBJECT, "Message-ID: <>"),
    "parameters that continue": parts(
        "mixed",
        b"Content-Type: application/pdf;\r\n name*0*=utf-8''%FF;\r\n name*x*=y\r\n\r\n%PDF-",
    ),
}  # fmt: skip
