"""Starting a mass reply, and stopping it."""

from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError, move
from compensation.authority import person_with
from support import signals
from support.mass_reply.drafting import SEND, clean_texts
from support.mass_reply.recipients import find_recipients
from support.models import MassReply, MassReplyRecipient, Message

State = MassReply.State


@transaction.atomic
def start(mass_reply: MassReply, *, recipients: int, by: User) -> MassReply:
    """Send it to `recipients` tickets: as many as the person was told, or it is refused.

    From now on its text and its recipients are fixed.

    Raises:
        PermissionDenied.
        ValidationError: the text cannot be sent, or nobody is left to send it to.
        MoveError: it is no draft, or meanwhile there are more or fewer recipients.
    """
    person = person_with(by, SEND)
    row = _locked(mass_reply)
    clean_texts(row.texts)
    find_recipients(row)
    waiting = row.recipients.filter(state=MassReplyRecipient.State.WAITING).count()
    if not waiting:
        raise ValidationError(_("Nobody is left to send it to."))
    if waiting != recipients:
        raise MoveError(
            _("Meanwhile there are %(now)s recipients, not %(then)s: look again.")
            % {"now": waiting, "then": recipients}
        )
    move(row, State.RUNNING, by=person, started_by=person, started_at=timezone.now())
    return _woken(mass_reply)


@transaction.atomic
def pause(mass_reply: MassReply, *, by: User, reason: str = "") -> MassReply:
    """Write no more messages; those written are sent.

    Raises:
        PermissionDenied, MoveError.
    """
    move(_locked(mass_reply), State.PAUSED, by=person_with(by, SEND), reason=reason)
    mass_reply.refresh_from_db()
    return mass_reply


@transaction.atomic
def resume(mass_reply: MassReply, *, by: User) -> MassReply:
    """Go on where it was paused.

    Raises:
        PermissionDenied, MoveError.
    """
    row = _locked(mass_reply)
    if row.state != State.PAUSED:
        raise MoveError(_("This mass reply is not paused."))
    move(row, State.RUNNING, by=person_with(by, SEND))
    return _woken(mass_reply)


@transaction.atomic
def cancel(mass_reply: MassReply, *, by: User, reason: str = "") -> MassReply:
    """End it for good; whoever has no message yet gets none from it.

    Raises:
        PermissionDenied, MoveError.
    """
    person = person_with(by, SEND)
    move(_locked(mass_reply), State.CANCELLED, by=person, reason=reason, finished_at=timezone.now())
    mass_reply.refresh_from_db()
    return mass_reply


@transaction.atomic
def retry_failed(mass_reply: MassReply, *, by: User) -> int:
    """Write again what could not be written, and send again what could not be sent; how many.

    What came back is not tried again: nobody reads there.

    Raises:
        PermissionDenied, MoveError (a draft, or cancelled).
    """
    person = person_with(by, SEND)
    row = _locked(mass_reply)
    if row.state in {State.DRAFT, State.CANCELLED}:
        raise MoveError(_("This mass reply is not under way."))
    failed = row.recipients.filter(state=MassReplyRecipient.State.FAILED).update(
        state=MassReplyRecipient.State.WAITING, reason=""
    )
    unsent = Message.objects.filter(mass_reply=row, delivery=Message.Delivery.FAILED).update(
        delivery=Message.Delivery.QUEUED, send_at=timezone.now(), attempts=0, delivery_error=""
    )
    if failed and row.state == State.DONE:
        move(row, State.RUNNING, by=person, reason="retry", finished_at=None)
    if unsent:
        transaction.on_commit(partial(signals.messages_queued.send, sender=Message))
    _woken(mass_reply)
    return failed + unsent


def _locked(mass_reply: MassReply) -> MassReply:
    return MassReply.objects.select_for_update().get(pk=mass_reply.pk)


def _woken(mass_reply: MassReply) -> MassReply:
    transaction.on_commit(partial(signals.mass_reply_started.send, sender=MassReply))
    mass_reply.refresh_from_db()
    return mass_reply
