"""Who gets a mass reply, and who does not and why. Set-oriented: incidents have many tickets."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError
from compensation.authority import person_with
from support.models import MassReply, MassReplyRecipient, Message, Ticket
from support.models.ticket import Status

State = MassReplyRecipient.State
Exclusion = MassReplyRecipient.Exclusion
SLICE = 2000


def find_recipients(mass_reply: MassReply) -> None:
    """Add the tickets linked since, and find out anew which are left out by themselves.

    What a person left out stays out. Of a draft only; once started its recipients are fixed.
    """
    linked = Ticket.objects.filter(incident=mass_reply.incident_id, merged_into=None)
    missing = linked.exclude(
        pk__in=MassReplyRecipient.objects.filter(mass_reply=mass_reply).values("ticket")
    )
    ids = list(missing.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), SLICE):
        MassReplyRecipient.objects.bulk_create(
            [
                MassReplyRecipient(mass_reply=mass_reply, ticket_id=pk)
                for pk in ids[start : start + SLICE]
            ],
            ignore_conflicts=True,
        )
    leave_out(mass_reply.recipients.all(), mass_reply.incident_id)


def leave_out(recipients: QuerySet[MassReplyRecipient], incident_id: int) -> None:
    """Say of each that is not written yet, nor left out by hand, whether something is against it.

    Two updates.
    """
    open_ones = recipients.filter(state__in=[State.WAITING, State.EXCLUDED]).exclude(
        exclusion=Exclusion.BY_HAND
    )
    why = Ticket.objects.filter(pk=OuterRef("ticket_id")).annotate(why=_why(incident_id))
    open_ones.update(exclusion=Subquery(why.values("why")))
    open_ones.update(
        state=Case(When(exclusion="", then=Value(State.WAITING)), default=Value(State.EXCLUDED))
    )


@transaction.atomic
def exclude(recipient: MassReplyRecipient, *, by: User, reason: str) -> MassReplyRecipient:
    """Leave one ticket out, also while the reply is being sent.

    Raises:
        PermissionDenied.
        ValidationError: no reason is given.
        MoveError: its message is written already.
    """
    person = person_with(by, "support.send_mass_reply")
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is left out.")})
    row = MassReplyRecipient.objects.select_for_update().get(pk=recipient.pk)
    if row.state == State.WRITTEN:
        raise MoveError(_("The message to this ticket is written already."))
    return _set(
        recipient, state=State.EXCLUDED, exclusion=Exclusion.BY_HAND, excluded_by=person,
        reason=reason.strip()[:500],
    )  # fmt: skip


@transaction.atomic
def include(recipient: MassReplyRecipient, *, by: User) -> MassReplyRecipient:
    """Take one back in that was left out by hand; if nothing else is against it.

    Raises:
        PermissionDenied.
        MoveError: it was not left out by hand, or the mass reply is over.
    """
    person_with(by, "support.send_mass_reply")
    row = (
        MassReplyRecipient.objects.select_for_update(of=("self",))
        .select_related("mass_reply")
        .get(pk=recipient.pk)
    )
    if row.exclusion != Exclusion.BY_HAND:
        raise MoveError(_("Nobody left this ticket out by hand."))
    if row.mass_reply.state in {MassReply.State.DONE, MassReply.State.CANCELLED}:
        raise MoveError(_("This mass reply is over."))
    _set(recipient, state=State.WAITING, exclusion="", excluded_by=None, reason="")
    leave_out(MassReplyRecipient.objects.filter(pk=row.pk), row.mass_reply.incident_id)
    recipient.refresh_from_db()
    return recipient


def _set(recipient: MassReplyRecipient, **changes: Any) -> MassReplyRecipient:
    MassReplyRecipient.objects.filter(pk=recipient.pk).update(**changes)
    for name, value in changes.items():
        setattr(recipient, name, value)
    return recipient


def _why(incident_id: int) -> Case:
    """Over tickets: what is against writing to it, or empty."""
    outgoing = Message.objects.filter(ticket=OuterRef("pk"), direction=Message.Direction.OUT)
    rest = timedelta(minutes=settings.SUPPORT_MASS_REPLY_REST_MINUTES)
    by_hand = (
        outgoing.filter(
            author__isnull=False, mass_reply=None, created_at__gte=timezone.now() - rest
        )
        .exclude(kind=Message.Kind.INTERNAL)
        .exclude(delivery=Message.Delivery.CANCELLED)
    )
    nobody = Q(requester_address="", customer=None)
    return Case(
        When(Q(status=Status.CLOSED) | ~Q(merged_into=None), then=Value(Exclusion.CLOSED)),
        When(~Q(incident=incident_id) | Q(incident=None), then=Value(Exclusion.UNLINKED)),
        When(status=Status.SOLVED, then=Value(Exclusion.SOLVED)),
        When(
            nobody | Exists(outgoing.filter(delivery=Message.Delivery.BOUNCED)),
            then=Value(Exclusion.UNANSWERABLE),
        ),
        When(Exists(by_hand), then=Value(Exclusion.ANSWERED)),
        default=Value(""),
        output_field=CharField(),
    )
