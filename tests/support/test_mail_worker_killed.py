"""The real worker, killed while it fetches and handles mail, and while it sends."""

import pytest
from django.db.models import Count

from support.models import Inbound, Message, Ticket
from tests.channels.odd_mail import mail
from tests.support.factories import TicketFactory
from tests.support.mail_servers import SUPPORT, imap_server, smtp_server
from tests.worker import WorkerProcess, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
]
MAILS = 200
ANSWERS = 50


@pytest.fixture
def imap():
    with imap_server() as server:
        yield server


@pytest.fixture
def post():
    with smtp_server() as server:
        yield server


@pytest.fixture
def worker(tmp_path, imap, post):
    environment = {
        "SUPPORT_MAILBOXES": imap.url(),
        "SUPPORT_EMAIL": SUPPORT,
        "SUPPORT_ACKNOWLEDGES": "false",
        "EMAIL_URL": f"smtp://127.0.0.1:{post.port}",
        "ATTACHMENTS_DIR": str(tmp_path / "files"),
    }
    with WorkerProcess(log=tmp_path / "worker.log", environment=environment) as worker:
        yield worker


def test_no_mail_is_lost_or_doubled(imap, worker):
    """Killed while fetching, and while handling; the next one ends it."""
    imap.put(
        *(
            mail(
                f"From: c{n}@example.com", f"Subject: Matter {n}", f"Message-ID: <{n}@example.com>"
            )
            for n in range(MAILS)
        )
    )
    worker.start()
    worker.send("support.tasks.fetch_mail")
    wait_until(lambda: Inbound.objects.count() >= 20, 60)
    worker.kill()
    assert Inbound.objects.count() < MAILS
    worker.start()
    worker.send("support.tasks.fetch_mail")
    wait_until(lambda: not imap.uids("UNSEEN"), 60, every=0.5)
    assert Inbound.objects.count() == MAILS

    worker.send("support.tasks.handle_inbound")
    wait_until(lambda: Ticket.objects.count() >= 10, 60, every=0.01)
    worker.kill()
    assert Ticket.objects.count() < MAILS
    Inbound.objects.filter(state="new").update(next_at=None)
    worker.start()
    worker.send("support.tasks.handle_inbound")
    wait_until(lambda: not Inbound.objects.filter(state="new").exists(), 90)
    assert Ticket.objects.count() == MAILS
    assert Message.objects.filter(direction="in").count() == MAILS
    twice = Inbound.objects.values("ticket").annotate(times=Count("id")).filter(times__gt=1)
    assert list(twice) == []


def test_no_answer_goes_out_twice(post, worker):
    """Killed twice while sending: what it held is told, the rest is sent once."""
    ticket = TicketFactory.create(status="waiting")
    Message.objects.bulk_create(
        Message(
            ticket=ticket, kind="public", direction="out", channel="email", text="Hello.",
            to=[f"c{n}@example.com"], delivery="queued", send_at=ticket.created_at,
        )
        for n in range(ANSWERS)
    )  # fmt: skip
    post.delay_seconds = 0.05
    for goal in (10, 25):
        worker.start()
        worker.send("support.tasks.send_messages")
        wait_until(lambda goal=goal: len(post.delivered) >= goal, 60)
        worker.kill()
    held = set(Message.objects.filter(delivery="sending").values_list("pk", flat=True))
    assert 1 <= len(held) <= 2
    assert Message.objects.filter(delivery="queued").exists()
    Message.objects.filter(pk__in=held).update(sending_since="2026-01-01T00:00:00Z")
    worker.start()
    worker.send("support.tasks.send_messages")
    wait_until(lambda: not Message.objects.filter(delivery__in=["queued", "sending"]).exists(), 60)
    received = [address for address, _ in post.delivered]
    assert len(received) == len(set(received))
    assert ANSWERS - len(held) <= len(received) <= ANSWERS
    failed = Message.objects.filter(delivery="failed")
    assert set(failed.values_list("pk", flat=True)) == held
    assert all("may have arrived" in message.delivery_error for message in failed)
    ticket.refresh_from_db()
    assert ticket.status == "open"
