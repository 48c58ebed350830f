"""A ticket's page with 200 messages: below 150 ms on the server.

In-process requests through the real middleware; the reference is the bar itself.
"""

from typing import Any

from support.models import Message, Ticket
from tests.bench._desk import make_desk
from tests.bench.queue_page import ADDRESS, measure
from tests.bench.result import Result

BAR_MS = 150
TICKETS = 100_000
MESSAGES = 200


def run(scale: float) -> Result:
    desk = make_desk(max(int(TICKETS * scale), 2000))
    ticket = make_long_ticket(desk)
    times = measure(desk["agent"], f"{ADDRESS}{ticket.pk}/change/")
    return Result(
        times.p95, BAR_MS, 1, unit="ms",
        notes=f"{MESSAGES} messages; p50 {times.p50:.0f} ms; {times.queries} queries",
    )  # fmt: skip


def make_long_ticket(desk: dict[str, Any]) -> Ticket:
    """An open ticket that the agent sees, filled up to 200 messages."""
    ticket = Ticket.objects.filter(status="open", queue__in=desk["agent"].queues.all())[0]
    kinds = (Message.Direction.IN, Message.Direction.OUT)
    Message.objects.bulk_create(
        Message(
            ticket=ticket, kind=Message.Kind.PUBLIC, direction=kinds[n % 2], channel=ticket.channel,
            text=f"Message {n}. The router blinks red, and nothing has worked since noon. " * 4,
        )
        for n in range(MESSAGES - ticket.messages.count())
    )  # fmt: skip
    return ticket
