"""How many a mass reply goes to, in which languages, and how far it is."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from compensation.models import Award
from compensation.models.award import BINDING
from support.mass_reply.rendering import promises
from support.models import MassReply, MassReplyRecipient, Message

State = MassReplyRecipient.State
RATE_OVER = timedelta(seconds=30)


def figures(mass_reply: MassReply) -> dict[str, Any]:
    """Recipients by state, language and reason. Five queries at most.

    `customers` counts those whose several tickets wait once. `without_credit` is how many waiting
    recipients have no approved credit of the incident, where the text speaks of one: that paragraph
    is left out for them. None: it speaks of none.
    """
    own = mass_reply.recipients
    states = dict(own.order_by().values_list("state").annotate(Count("id")))
    waiting = own.filter(state=State.WAITING).annotate(
        language=Coalesce(F("ticket__customer__language"), F("ticket__language"))
    )
    languages = dict(waiting.order_by().values_list("language").annotate(n=Count("id")))
    excluded = own.filter(state=State.EXCLUDED).order_by()
    speaks_of_credit = any(promises(text) for text in mass_reply.texts.values())
    people = waiting.aggregate(
        known=Count("ticket__customer", distinct=True),
        others=Count("ticket__requester_address", distinct=True, filter=Q(ticket__customer=None)),
    )
    return {
        "customers": people["known"] + people["others"],
        "total": sum(states.values()),
        **{state: states.get(state, 0) for state in State.values},
        "languages": dict(sorted(languages.items(), key=lambda item: -item[1])),
        "exclusions": dict(excluded.values_list("exclusion").annotate(n=Count("id"))),
        "without_credit": _without_credit(mass_reply) if speaks_of_credit else None,
    }


def progress(mass_reply: MassReply) -> dict[str, Any]:
    """How far the writing is: counts, messages a second of late, seconds left, and deliveries."""
    own = mass_reply.recipients
    states = dict(own.order_by().values_list("state").annotate(Count("id")))
    written, failed = states.get(State.WRITTEN, 0), states.get(State.FAILED, 0)
    waiting = states.get(State.WAITING, 0)
    total = written + failed + waiting
    late = own.filter(written_at__gt=timezone.now() - RATE_OVER).count()
    per_second = late / RATE_OVER.total_seconds()
    deliveries = dict(
        own.filter(message__isnull=False)
        .order_by()
        .values_list("message__delivery")
        .annotate(Count("id"))
    )
    moves = mass_reply.state == MassReply.State.RUNNING
    return {
        "total": total,
        "written": written,
        "failed": failed,
        "waiting": waiting,
        "excluded": states.get(State.EXCLUDED, 0),
        "shares": {
            "written": 100 * written / max(total, 1),
            "failed": 100 * failed / max(total, 1),
        },
        "per_second": per_second,
        "limit_per_minute": settings.SUPPORT_MASS_REPLY_PER_MINUTE,
        "eta_seconds": int(waiting / per_second) if moves and per_second and waiting else None,
        "moves": moves,
        "sent": deliveries.get(Message.Delivery.SENT, 0),
        "on_its_way": sum(
            deliveries.get(state, 0)
            for state in (Message.Delivery.QUEUED, Message.Delivery.SENDING)
        ),
        "not_sent": deliveries.get(Message.Delivery.FAILED, 0),
        "came_back": deliveries.get(Message.Delivery.BOUNCED, 0),
    }


def _without_credit(mass_reply: MassReply) -> int:
    given = Award.objects.filter(
        customer=OuterRef("ticket__customer"),
        incident=mass_reply.incident_id,
        source=Award.Source.BATCH,
        benefit=Award.Benefit.CREDIT,
    )
    waiting = mass_reply.recipients.filter(state=State.WAITING)
    return waiting.exclude(Exists(given.filter(state__in=BINDING))).count()
