"""From the composer to the conversation: sent once, never past what came in meanwhile."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError
from support import signals
from support.actions import perform
from support.authority import worker_on
from support.drafts import draft_of
from support.models import Attachment, Draft, Macro, Message, Ticket, TicketEvent
from support.models.ticket import Status
from support.sla import refresh_clocks
from support.tickets import add_note, assign, locked, reply, take_back
from support.timeline import record_event

Delivery = Message.Delivery


class OvertakenError(Exception):
    """Somebody wrote while this answer was: `messages` are what its author has not seen."""

    def __init__(self, messages: list[Message]) -> None:
        self.messages = messages
        super().__init__(_("Something was written here meanwhile."))


@transaction.atomic
def answer(  # noqa: PLR0913 - by keyword, most of them optional
    ticket: Ticket,
    *,
    by: User,
    text: str,
    kind: str = Message.Kind.PUBLIC,
    then_status: str = Status.WAITING,
    send_at: datetime | None = None,
    key: str = "",
    seen: int | None = None,
    files: Iterable[Attachment] = (),
    macro: Macro | None = None,
) -> Message:
    """Say what the composer holds, with the draft's files and `files`; the draft is used up.

    What the `macro` that the words came from does follows, but for the status: `then_status` says.

    A second call with the same `key` gives the first message. `seen` is the newest message that
    the author had before them; None asks for no comparison. Who answers a ticket that is nobody's
    takes it. A note moves no status. `send_at` is UTC.

    Raises:
        PermissionDenied, ValidationError, MoveError (closed).
        OvertakenError: the customer or a colleague has written since `seen`.
    """
    person = worker_on(ticket, by)
    row = locked(ticket)
    if key and (sent := Message.objects.filter(ticket=row, key=key).first()):
        return sent
    if kind not in Message.Kind.values:
        raise ValidationError({"kind": _("Say whether it is an answer or a note.")})
    if kind != Message.Kind.INTERNAL and seen is not None:
        _check_not_overtaken(row, by, seen)
    draft = draft_of(row, by)
    attached = [*(draft.attachments.all() if draft else ()), *files]
    more: dict[str, Any] = {"attachments": attached, "key": key}
    if kind == Message.Kind.INTERNAL:
        message = add_note(row, by=by, text=text, **more)
    else:
        message = reply(
            row, by=by, text=text, kind=kind, then_status=then_status, send_at=send_at, **more
        )
        if row.assignee_id is None and row.status != Status.CLOSED:
            assign(row, person, by=by, reason="answered")
    if macro:
        _act(macro, row, person, message)
    if draft:
        Draft.objects.filter(pk=draft.pk).delete()
    _show_deadlines(ticket)
    return message


@transaction.atomic
def undo_answer(message: Message, *, by: User) -> Draft:
    """Take an unsent answer back, and put its words and files before its author again.

    Words that were begun since come after it.

    Raises:
        PermissionDenied, MoveError (it is on its way already).
    """
    take_back(message, by=by)
    draft = draft_of(message.ticket, by) or Draft(ticket=message.ticket, user=by)
    draft.text = "\n\n".join(part for part in (message.text, draft.text) if part.strip())
    draft.kind = message.kind
    draft.save()
    message.attachments.update(message=None, draft=draft)
    _show_deadlines(message.ticket)
    return draft


@transaction.atomic
def send_again(message: Message, *, by: User) -> Message:
    """Try once more to send an answer that failed or came back, under the same Message-ID.

    Raises:
        PermissionDenied, MoveError (it did not fail, or somebody was faster).
    """
    person = worker_on(message.ticket, by)
    before = message.delivery
    queued = Message.objects.filter(
        pk=message.pk, delivery__in=[Delivery.FAILED, Delivery.BOUNCED]
    ).update(
        delivery=Delivery.QUEUED,
        send_at=timezone.now(),
        sending_since=None,
        attempts=0,
        delivery_error="",
    )
    if not queued:
        raise MoveError(_("This answer has not failed: reload and look again."))
    record_event(
        message.ticket_id,
        TicketEvent.Kind.DELIVERY,
        by=person,
        reason="again",
        change=(before, str(Delivery.QUEUED)),
        message=message.pk,
    )
    transaction.on_commit(lambda: signals.messages_queued.send(sender=Message))
    message.refresh_from_db()
    return message


def next_ticket(user: User, *, after: Ticket) -> Ticket | None:
    """The most urgent of `user`'s own new and open tickets, other than `after`."""
    mine = Ticket.objects.seen_by(user).active().filter(assignee=user)
    return mine.exclude(pk=after.pk).in_order().defer("search").first()


def unseen(ticket: Ticket, user: User, seen: int) -> list[Message]:
    """What others have said after message `seen`, oldest first, without automatic words."""
    later = ticket.messages.filter(pk__gt=seen, is_automatic=False)
    return list(
        later.exclude(author=user)
        .exclude(delivery=Delivery.CANCELLED)
        .select_related("author")
        .defer("html", "search")
        .order_by("id")
    )


def _act(macro: Macro, row: Ticket, person: User | None, message: Message) -> None:
    """What the macro does besides the words, and that it was used."""
    actions = [given for given in macro.actions if given.get("do") != "set_status"]
    perform(actions, row, by=person, reason=f"macro {macro.name}")
    record_event(
        row.pk,
        TicketEvent.Kind.MACRO,
        by=person,
        name=macro.name,
        macro=macro.pk,
        message=message.pk,
    )


def _show_deadlines(ticket: Ticket) -> None:
    """At once: its author looks at the ticket before the worker has read the event."""
    refresh_clocks([ticket.pk])
    ticket.refresh_from_db()


def _check_not_overtaken(row: Ticket, user: User, seen: int) -> None:
    if came := unseen(row, user, seen):
        raise OvertakenError(came)
