"""A real SMTP and a real IMAP server on loopback: what is sent to us lies in our mailbox."""

import asyncio
import imaplib
import os
import socket
import subprocess
import sys
from contextlib import closing, contextmanager

from aiosmtpd.controller import Controller

from tests.worker import PROJECT, wait_until

SUPPORT = "support@amends.example"
PASSWORD = "loopback"


def free_port():
    with closing(socket.create_server(("127.0.0.1", 0))) as line:
        return line.getsockname()[1]


class ImapServer:
    """One account, `support`, with an inbox that is empty at the start."""

    def __init__(self, port):
        self.port = port

    def url(self, options=""):
        return f"imap://support:{PASSWORD}@127.0.0.1:{self.port}/INBOX?address={SUPPORT}{options}"

    @contextmanager
    def line(self, folder="INBOX"):
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=60) as line:
            line.login("support", PASSWORD)
            line.select(folder)
            yield line

    def put(self, *mails):
        with self.line() as line:
            for raw in mails:
                assert line.append("INBOX", None, None, raw)[0] == "OK"

    def uids(self, criteria, folder="INBOX"):
        with self.line(folder) as line:
            return line.uid("SEARCH", criteria)[1][0].decode().split()


@contextmanager
def imap_server(*, keeps_marks=True):
    server = ImapServer(free_port())
    command = [sys.executable, "-m", "tests.support.imap_server", "--host", "127.0.0.1"]
    command += ["--port", str(server.port), "--no-tls"]
    command += ["dict", "--demo-user", "support", "--demo-password", PASSWORD]
    environment = {**os.environ, "MARKS": "1" if keeps_marks else ""}
    process = subprocess.Popen(  # noqa: S603 - our own module and arguments
        command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: _answers(server), 20)
        yield server
    finally:
        process.kill()
        process.wait()


def _answers(server):
    try:
        with server.line():
            return True
    except OSError:
        return False


class Post:
    """Where SMTP brings mails: ours into the mailbox, others into `delivered`, as (to, bytes).

    `answers` gives refusals by the recipient's address, such as "550 no such user".
    """

    def __init__(self, imap=None):
        self.imap = imap
        self.delivered = []
        self.answers = {}
        self.port = 0
        self.delay_seconds = 0.0

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - theirs
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - theirs
        await asyncio.sleep(self.delay_seconds)
        for address in envelope.rcpt_tos:
            self.delivered.append((address, bytes(envelope.content)))
        return self.answers.get("data", "250 OK")

    def to(self, address):
        return [raw for recipient, raw in self.delivered if recipient == address]


@contextmanager
def smtp_server():
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=free_port(), decode_data=False)
    controller.start()
    post.port = controller.port
    try:
        yield post
    finally:
        controller.stop(no_assert=True)
