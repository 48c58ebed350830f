"""Events are kept as long as they may be of use: they tell names and addresses."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from backoffice.webhooks.models import EventState, StripeEvent

AT_ONCE = 5_000
SETTLED = (EventState.HANDLED, EventState.IGNORED)


def forget_events() -> int:
    """Delete up to AT_ONCE settled events older than STRIPE_EVENTS_DAYS; how many.

    Stripe sends an event again for three days, or by hand for thirty: later ones need not be known.
    """
    before = timezone.now() - timedelta(days=settings.STRIPE_EVENTS_DAYS)
    # ids rise with the time of receipt, so the oldest are found without an index of their own
    oldest = StripeEvent.objects.order_by("pk").filter(state__in=SETTLED)[:AT_ONCE]
    old = [
        pk for pk, received_at in oldest.values_list("pk", "received_at") if received_at < before
    ]
    return StripeEvent.objects.filter(pk__in=old, state__in=SETTLED).delete()[0]
