"""Writing the messages of mass replies: in slices, once to each ticket, at a limited rate.

A message and its recipient's new state are committed together, so a killed worker leaves both or
neither; the constraint `message_once_per_mass_reply` stands behind that.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.states import MoveError, move
from support.mass_reply.recipients import leave_out
from support.mass_reply.rendering import written_for
from support.models import MassReply, MassReplyRecipient, Ticket
from support.models.ticket import Status
from support.tickets import reply

log = logging.getLogger(__name__)

SLICE = 25  # tickets locked at once, for a few tenths of a second
State = MassReplyRecipient.State
LOCK = "support.mass_reply.writing"


@dataclass(frozen=True, slots=True)
class Slice:
    """How many recipients were handled; `is_over`: nothing is left to do now, or another does it.

    Neither: the rate's limit is reached.
    """

    handled: int = 0
    is_over: bool = False


@transaction.atomic
def write_slice() -> Slice:
    """Write the next messages of the mass reply that was started first; one worker at a time."""
    if not _is_ours():
        return Slice(is_over=True)
    running = MassReply.objects.filter(state=MassReply.State.RUNNING)
    mass_reply = running.select_for_update(of=("self",)).order_by("started_at").first()
    if mass_reply is None:
        return Slice(is_over=True)
    waiting = mass_reply.recipients.filter(state=State.WAITING)
    if not waiting.exists():
        move(
            mass_reply, MassReply.State.DONE, by=None, reason="all written",
            finished_at=timezone.now(),
        )  # fmt: skip
        return Slice(handled=1)
    allowed = min(SLICE, _allowance())
    if not allowed:
        return Slice()
    claimed = waiting.order_by("ticket_id").values_list("pk", flat=True)[:allowed]
    ids = list(claimed.select_for_update(skip_locked=True))
    leave_out(MassReplyRecipient.objects.filter(pk__in=ids), mass_reply.incident_id)
    for recipient in waiting.filter(pk__in=ids).order_by("ticket_id"):
        _write(mass_reply, recipient)
    return Slice(handled=len(ids))


def _write(mass_reply: MassReply, recipient: MassReplyRecipient) -> None:
    try:
        with transaction.atomic():
            _answer(mass_reply, recipient)
    except (MoveError, PermissionDenied) as error:
        _fail(recipient, str(error))
    except ValidationError as error:
        _fail(recipient, " ".join(error.messages))
    except OperationalError:
        # the database's trouble is nobody's fault: the whole slice is tried again
        raise
    except Exception as error:
        log.exception("Mass reply %s cannot be written to %s", mass_reply.pk, recipient)
        _fail(recipient, _("unexpected: %(kind)s") % {"kind": type(error).__name__})


def _answer(mass_reply: MassReply, recipient: MassReplyRecipient) -> None:
    ticket = Ticket.objects.select_related("customer", "incident").get(pk=recipient.ticket_id)
    person = mass_reply.started_by
    written = written_for(mass_reply, ticket, person)
    message = reply(
        ticket,
        by=None,
        author=person,
        text=written.text,
        language=written.language,
        mass_reply=mass_reply,
        then_status=_moves_to(mass_reply, ticket),
    )
    MassReplyRecipient.objects.filter(pk=recipient.pk).update(
        state=State.WRITTEN, message=message, written_at=timezone.now(), reason=""
    )


def _moves_to(mass_reply: MassReply, ticket: Ticket) -> str:
    if mass_reply.solves:
        return str(Status.SOLVED)
    return str(Status.OPEN) if ticket.status == Status.NEW else ""


def _fail(recipient: MassReplyRecipient, reason: str) -> None:
    MassReplyRecipient.objects.filter(pk=recipient.pk).update(
        state=State.FAILED, reason=reason[:500]
    )


def _allowance() -> int:
    """How many more messages may be written now, of those of a minute."""
    since = timezone.now() - timedelta(minutes=1)
    written = MassReplyRecipient.objects.filter(written_at__gt=since).count()
    return int(max(0, settings.SUPPORT_MASS_REPLY_PER_MINUTE - written))


def _is_ours() -> bool:
    """One writer in all, until the transaction ends, so that the rate holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [LOCK])
        return bool(cursor.fetchone()[0])
