"""The way of one award: what happened to it, when, and by whom, from all places that know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pghistory.core
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from compensation.models import Award


@dataclass
class Step:
    """One thing that happened; `at` is UTC."""

    at: datetime
    what: str
    detail: str = ""


def award_steps(award: Award) -> list[Step]:
    """Oldest first. Normal moves are dated by the batch, exceptions by their history."""
    batch: Any = award.batch
    made = (award.created_at, _("Priced"), "")
    if award.source == Award.Source.GOODWILL:
        asked = _("Asked of finance") if batch else _("Given")
        made = (award.created_at, asked, f"{award.given_by}: {award.reason}")
    dated = [
        made,
        (batch and batch.submitted_at, _("Submitted with its batch"), ""),
        (batch and batch.approved_at, _("Approved with its batch"), ""),
        (award.first_sent_at, _("First sent to Stripe"), ""),
        (award.issued_at, _("Issued"), award.stripe_id),
    ]
    if award.state == Award.State.EXCLUDED:
        dated = dated[:1]
    steps = [Step(at, what, detail) for at, what, detail in dated if at]
    return sorted(steps + _exceptions(award), key=lambda step: step.at)


def _exceptions(award: Award) -> list[Step]:
    (event_model,) = pghistory.core.event_models(tracks_model=Award)
    kept: Any = event_model._default_manager
    events = list(kept.filter(pgh_obj=award).select_related("pgh_context").order_by("pgh_id"))
    people = User.objects.in_bulk(
        {user for event in events if (user := _context(event).get("user"))}
    )
    states = dict(Award.State.choices)
    steps = []
    for event in events:
        who = people.get(_context(event).get("user"))
        why = event.exclusion_reason or event.error_message or _reason(event)
        parts = [str(who) if who else "", why]
        state = str(states.get(event.state, event.state)).capitalize()
        steps.append(Step(event.pgh_created_at, state, ": ".join(part for part in parts if part)))
    return steps


def _reason(event: Any) -> str:
    """A person's words; the system's own are no explanation."""
    context = _context(event)
    return str(context.get("reason", "")) if "user" in context else ""


def _context(event: Any) -> dict[str, Any]:
    return event.pgh_context.metadata if event.pgh_context else {}
