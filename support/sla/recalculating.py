"""Working deadlines out anew after a promise or a calendar has changed."""

from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from backoffice.accounts.models import User
from support import signals
from support.models import Calendar, Recalculation, SlaPolicy, Ticket
from support.models.ticket import UNSOLVED, TicketQuerySet
from support.sla.refreshing import refresh_clocks

SLICE = 200


def recalculate(changed: SlaPolicy | Calendar, *, by: User | None) -> None:
    """Have the deadlines of unsolved tickets worked out anew, in the caller's transaction.

    For a policy those of all: its condition and its place in the order decide for others, too. One
    that is under way begins again. What was answered for keeps its deadline.
    """
    calendar = changed if isinstance(changed, Calendar) else None
    if not _begin_again(calendar, by):
        try:
            with transaction.atomic():
                Recalculation.objects.create(
                    calendar=calendar, requested_by=by, requested_at=timezone.now()
                )
        except IntegrityError:
            # Somebody else has just asked for the same.
            _begin_again(calendar, by)
    transaction.on_commit(partial(signals.promises_changed.send, sender=Recalculation))


def recalculate_slice(limit: int = SLICE) -> bool:
    """Do the next tickets of the oldest recalculation; whether there was one.

    Its row is locked while it works, so another worker takes the next one, or leaves.
    """
    with transaction.atomic():
        waiting = Recalculation.objects.filter(done_at=None).order_by("id")
        work = waiting.select_for_update(skip_locked=True, of=("self",)).first()
        if work is None:
            return False
        ids = list(_tickets(work).values_list("pk", flat=True)[:limit])
        refresh_clocks(ids)
        done = Recalculation.objects.filter(pk=work.pk)
        if ids:
            done.update(last_ticket=ids[-1], tickets_count=F("tickets_count") + len(ids))
        else:
            done.update(done_at=timezone.now())
    return True


def _begin_again(calendar: Calendar | None, by: User | None) -> bool:
    same = Recalculation.objects.filter(calendar=calendar, done_at=None)
    return bool(
        same.update(last_ticket=0, tickets_count=0, requested_by=by, requested_at=timezone.now())
    )


def _tickets(work: Recalculation) -> TicketQuerySet:
    tickets = Ticket.objects.filter(status__in=UNSOLVED, pk__gt=work.last_ticket)
    if work.calendar_id:
        tickets = tickets.filter(sla_policy__calendar=work.calendar_id)
    return tickets.order_by("pk")
