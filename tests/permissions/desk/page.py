"""The doors of a ticket's page."""

from collections.abc import Iterator
from typing import Any

from support.attachments import store_attachment
from support.models import Inbound, Macro, Message, Ticket
from tests.permissions.desk.tickets import AGENTS, LEAD, SEES_DESK
from tests.permissions.rows import AUDITS, Row, admin, look

READS_RAW = LEAD | AUDITS
VERBS = (
    "assign", "queue", "status", "tags", "correct", "floor", "merge", "parent", "customer",
)  # fmt: skip


def rows() -> Iterator[Row]:
    yield Row("admin:support_ticket_add_customers", AGENTS)
    yield Row("admin:support_ticket_add_customers", AGENTS, "POST")
    for verb in VERBS:
        yield from admin("support_ticket_do", AGENTS, "pk=ticket", f"verb=={verb}")
    for name in ("send", "preview", "draft", "upload"):
        # Nothing is sent along, so an agent who is let in is told what is missing.
        yield from admin(f"support_ticket_{name}", AGENTS, "pk=ticket")
    yield from admin("support_ticket_remove_file", AGENTS, "pk=ticket", "file_pk=attachment")
    for name in ("earlier", "came"):
        yield from look(f"support_ticket_{name}", SEES_DESK, "pk=ticket")
    for name in ("people", "candidates", "customers", "macros"):
        yield from look(f"support_ticket_{name}", AGENTS, "pk=ticket")
    yield from look("support_ticket_macro", AGENTS, "pk=ticket", "macro_pk=active_macro")
    for name in ("undo", "again", "split"):
        yield from admin(f"support_ticket_{name}", AGENTS, "pk=ticket", "message_pk=message")
    for name in ("delivery", "html"):
        yield from look(f"support_ticket_{name}", SEES_DESK, "pk=ticket", "message_pk=message")
    yield from look("support_ticket_raw", READS_RAW, "pk=ticket", "message_pk=message")
    yield from look("support_ticket_file", SEES_DESK, "pk=ticket", "file_pk=attachment")


def world(made: dict[str, Any]) -> dict[str, Any]:
    """A message of the ticket with HTML, a file and a raw mail."""
    ticket = Ticket.objects.get(pk=made["ticket"])
    message = Message.objects.create(
        ticket=ticket, kind="public", direction="in", channel="email", text="x", html="<p>x</p>"
    )
    Inbound.objects.create(
        channel="email", external_id="a@b", raw=b"From: a@b\r\n\r\nx", ticket=ticket,
        message=message,
    )  # fmt: skip
    attachment = store_attachment("a.txt", b"words", message=message)
    macro = Macro.objects.create(name="Hello", texts={"en": "Hello."})
    return {"active_macro": macro.pk, "message": message.pk, "attachment": attachment.pk}
