"""Deliveries: one event for one endpoint, until it arrived or was given up."""

from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError
from compensation.authority import person_with
from support import signals
from support.models import Ticket, TicketEvent, WebhookDelivery, WebhookEndpoint
from support.webhooks.payloads import payload_of

KEPT = timedelta(days=30)
SLICE = 5000


def store_deliveries(events: list[TicketEvent]) -> int:
    """Put these events in line for every active endpoint that wants them; how many deliveries.

    Four queries at most, whatever the numbers.
    """
    wanted = [
        (endpoint, event)
        for endpoint in WebhookEndpoint.objects.filter(is_active=True)
        for event in events
        if not endpoint.on_events or event.kind in endpoint.on_events
    ]
    if not wanted:
        return 0
    related = Ticket.objects.select_related("queue", "assignee", "customer", "incident")
    tickets = related.defer("search").in_bulk({event.ticket_id for _endpoint, event in wanted})
    people = User.objects.in_bulk({event.by_id for _endpoint, event in wanted if event.by_id})
    now = timezone.now()
    for _endpoint, event in wanted:
        event.by = people.get(event.by_id) if event.by_id else None
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                endpoint=endpoint,
                event=event,
                payload=payload_of(event, tickets[event.ticket_id]),
                next_at=now,
            )
            for endpoint, event in wanted
        ],
        ignore_conflicts=True,
    )
    transaction.on_commit(partial(signals.deliveries_stored.send, sender=WebhookDelivery))
    return len(wanted)


@transaction.atomic
def send_again(delivery: WebhookDelivery, *, by: User) -> None:
    """Send it once more from the beginning, whether it arrived or was given up.

    Raises:
        PermissionDenied.
        MoveError: it is in line, or its endpoint is switched off.
    """
    person_with(by, "support.change_webhookendpoint")
    row = WebhookDelivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    if row.state == WebhookDelivery.State.WAITING:
        raise MoveError(_("This delivery is waiting to be sent already."))
    if not row.endpoint.is_active:
        raise MoveError(_("This webhook is switched off: switch it on first."))
    WebhookDelivery.objects.filter(pk=row.pk).update(
        state=WebhookDelivery.State.WAITING, attempts=0, next_at=timezone.now(), error=""
    )
    transaction.on_commit(partial(signals.deliveries_stored.send, sender=WebhookDelivery))
    delivery.refresh_from_db()


def forget_deliveries() -> int:
    """Delete what is over and older than 30 days, in slices; how many of this slice."""
    over = WebhookDelivery.objects.exclude(state=WebhookDelivery.State.WAITING)
    old = over.filter(created_at__lt=timezone.now() - KEPT).order_by("pk")
    ids = list(old.values_list("pk", flat=True)[:SLICE])
    deleted, _kinds = WebhookDelivery.objects.filter(pk__in=ids).delete()
    return deleted
