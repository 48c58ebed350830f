"""What a ticket's page shows of goodwill."""

import secrets
from typing import Any

import pghistory.core
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.customers.models import Subscription
from compensation.goodwill import PERMISSION, incident_gives
from compensation.models import Award, Batch
from support.goodwill.limits import Kind, Limits, goodwill_of, limits_left
from support.goodwill.words import benefit_in_words, state_in_words, value_in_words
from support.models import Ticket


def page_part(ticket: Ticket, user: User) -> dict[str, Any]:
    """The context of `admin/support/ticket/goodwill.html`, as its key `goodwill`.

    `given`: what this ticket gave, with its state; `incident_gives`: what the customer has, gets
    or would get for the ticket's incident; `limits`: what `user` may give; the rest is for the
    form. Without a customer, or the permission, there is nothing to give.
    """
    customer = ticket.customer
    may_give = customer is not None and user.has_perm(PERMISSION)
    part: dict[str, Any] = {
        "ticket": ticket,
        "customer": customer,
        "may_give": may_give,
        "given": _given(ticket),
        "incident_gives": [],
    }
    if customer is not None and ticket.incident is not None:
        part["incident_gives"] = [
            (award, benefit_in_words(award), state_in_words(award))
            for award in incident_gives(customer, ticket.incident)
        ]
    if customer is None or not may_give:
        return part
    subscriptions = list(
        Subscription.objects.filter(customer=customer)
        .exclude(status__in=Subscription.ENDED)
        .order_by("pk")
    )
    limits = limits_left(ticket, user)
    return part | {
        "limits": [_limit_line(kind, limit) for kind, limit in sorted(limits.items())],
        "currencies": _currencies(customer.currency, subscriptions, limits),
        "subscriptions": subscriptions,
        "benefits": Award.Benefit.choices,
        "key": secrets.token_hex(16),
        "url": reverse("admin:support_ticket_goodwill", args=[ticket.pk]),
    }


def _given(ticket: Ticket) -> list[dict[str, Any]]:
    rows = list(goodwill_of(ticket).select_related("award__batch", "by").order_by("id"))
    reasons = _reasons_of(
        row.award.batch
        for row in rows
        if row.award and row.award.batch and row.award.batch.state == Batch.State.REJECTED
    )
    return [
        {
            "goodwill": row,
            "award": row.award,
            "what": benefit_in_words(row.award),
            "state": state_in_words(row.award),
            "why_not": reasons.get(row.award.batch_id, ""),
        }
        for row in rows
        if row.award
    ]


def _reasons_of(rejected: Any) -> dict[int | None, str]:
    """Why finance rejected them, from the batches' history."""
    ids = [batch.pk for batch in rejected]
    if not ids:
        return {}
    events: Any = next(
        model
        for model in pghistory.core.event_models(tracks_model=Batch)
        if hasattr(model, "pgh_context")
    )
    found = events._default_manager.filter(
        pgh_obj__in=ids, state=Batch.State.REJECTED
    ).select_related("pgh_context")
    return {
        event.pgh_obj_id: event.pgh_context.metadata.get("reason", "")
        for event in found
        if event.pgh_context
    }


def _limit_line(kind: Kind, limits: Limits) -> dict[str, Any]:
    benefit, currency = kind
    return {
        "benefit": Award.Benefit(benefit).label,
        "left": value_in_words(benefit, limits.left, currency),
        "per_ticket": value_in_words(benefit, limits.ticket.limit, currency),
        "per_day": value_in_words(benefit, limits.day.limit, currency),
        "per_customer": value_in_words(benefit, limits.customer.limit, currency),
        "is_used_up": not limits.left,
    }


def _currencies(
    own: str, subscriptions: list[Subscription], limits: dict[Kind, Limits]
) -> list[str]:
    """The customer's one currency at Stripe; before they have one, those of their plans."""
    if own:
        return [own]
    plans = [subscription.currency for subscription in subscriptions]
    known = plans or [currency for _benefit, currency in sorted(limits) if currency]
    return list(dict.fromkeys(known))
