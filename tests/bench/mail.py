"""10,000 mails in, none lost: kept, then handled by a real worker that is killed three times.

The rates are those of one process: keeping is what a fetch does after the network, handling is
reading, threading, opening the ticket and its acknowledgement. Every fourth mail answers an
earlier one of its sender's, so that three of four open a ticket.
"""

import tempfile
import time
from functools import partial
from pathlib import Path

from django.db.models import F

import backoffice.celery  # noqa: F401 - what is kept wakes a task through it
from support.intake import store_inbound
from support.models import Inbound, Message, Ticket
from tests.bench.result import Result
from tests.worker import WorkerProcess, wait_until

MAILS = 10_000
MEMORY_BAR_MIB = 300
KILLED_AT = (0.1, 0.3, 0.5)
TASK = "support.tasks.handle_inbound"
TEXT = "Nothing works since two o'clock. I have restarted the router twice, and it blinks red. " * 6


def run(scale: float) -> Result:
    """At `scale` 1 it takes some minutes."""
    mails = max(200, round(MAILS * scale)) // 4 * 4
    kept_seconds = _keep(mails)
    with tempfile.TemporaryDirectory() as folder:
        environment = {"EMAIL_URL": "dummymail://", "ATTACHMENTS_DIR": folder}
        with WorkerProcess(log=Path(folder, "worker.log"), environment=environment) as worker:
            handled_seconds, memory = _handle(worker, mails)
    tickets, messages = Ticket.objects.count(), Message.objects.filter(direction="in").count()
    left = Inbound.objects.exclude(state=Inbound.State.HANDLED).count()
    return Result(
        ours=messages,
        reference=mails,
        bar=1,
        unit=" mails",
        more_is_better=True,
        others_hold=(tickets, messages, left, memory < MEMORY_BAR_MIB)
        == (mails * 3 // 4, mails, 0, True),
        notes=f"worker killed {len(KILLED_AT)} times, {tickets} tickets, {left} left; "
        f"{mails / kept_seconds:.0f}/s kept, {mails / handled_seconds:.0f}/s handled, "
        f"peak {memory:.0f} MiB (bar {MEMORY_BAR_MIB})",
    )


def _keep(mails: int) -> float:
    began = time.monotonic()
    for number in range(mails):
        store_inbound("email", "support@amends.example", _mail(number))
    return time.monotonic() - began


def _mail(number: int) -> bytes:
    answers = f"In-Reply-To: <{number - 3}@example.com>\r\n" if number % 4 == 3 else ""
    sender = number - 3 if answers else number
    return (
        f"From: Customer {sender} <c{sender}@example.com>\r\nTo: support@amends.example\r\n"
        f"Subject: No internet {number}\r\nMessage-ID: <{number}@example.com>\r\n{answers}"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}"
    ).encode()


def _handle(worker: WorkerProcess, mails: int) -> tuple[float, float]:
    """Seconds at work, without those of starting, and the largest memory of the child, in MiB."""
    seconds, memory = 0.0, 0.0
    for part in (*KILLED_AT, 1.0):
        worker.start()
        # What a killed one had begun is due again after a minute; here at once.
        Inbound.objects.filter(state=Inbound.State.NEW, attempts__gt=0).update(
            next_at=None, attempts=F("attempts") - 1
        )
        worker.send(TASK)
        began = time.monotonic()
        wait_until(partial(_is_handled, round(mails * part)), 3_600, every=0.2)
        seconds += time.monotonic() - began
        memory = max(memory, _memory_mib(worker.child()))
        worker.kill()
    return seconds, memory


def _is_handled(mails: int) -> bool:
    return Inbound.objects.filter(state=Inbound.State.HANDLED).count() >= mails


def _memory_mib(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024
