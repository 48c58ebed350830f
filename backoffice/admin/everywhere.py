"""What every page of the admin says: where money goes, and what of it is stopped or paused."""

from typing import Any

import pghistory.core
from django.conf import settings
from django.db.models import Exists
from django.http import HttpRequest
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from compensation.models import Batch, IssuingControl

PAUSED_SHOWN = 5


def environment(request: HttpRequest) -> list[Any]:
    """A label in the header: which Stripe the credits go to."""
    if settings.STRIPE_IS_SANDBOX:
        return [_("Stripe sandbox"), "info"]
    if settings.STRIPE_API_KEY.startswith("sk_test_"):
        return [_("Stripe test mode"), "warning"]
    return [_("Stripe live"), "danger"]


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """The switch where it is off, and paused batches, if the reader may see them.

    The base template warns of both.
    """
    if not request.user.has_perm("compensation.view_issuingcontrol"):
        return {}
    # one query as long as nothing is paused: this is asked on every page
    has_paused = Exists(Batch.objects.filter(state=Batch.State.PAUSED))
    switch = (
        IssuingControl.objects.select_related("changed_by").annotate(has_paused=has_paused).first()
    )
    return {
        "issuing_stopped": switch if switch is not None and switch.is_stopped else None,
        "may_resume_issuing": request.user.has_perm("compensation.stop_issuing"),
        "paused_batches": _paused() if switch is None or switch.has_paused else [],
    }


def _paused() -> list[dict[str, Any]]:
    """Paused batches, the latest first: who paused each, when and why."""
    paused = list(Batch.objects.filter(state=Batch.State.PAUSED).order_by("-id")[:PAUSED_SHOWN])
    if not paused:
        return []
    (events,) = (each for each in pghistory.core.event_models(tracks_model=Batch))
    kept: Any = events._default_manager
    moves = kept.filter(pgh_obj__in=paused, state=Batch.State.PAUSED).select_related("pgh_context")
    # the first event of the latest pause: nothing else changes a paused batch
    latest = {event.pgh_obj_id: event for event in moves.order_by("pgh_id")}
    people = User.objects.in_bulk({_who(event) for event in latest.values() if _who(event)})
    return [
        {
            "batch": batch,
            "at": latest[batch.pk].pgh_created_at if batch.pk in latest else None,
            "who": people.get(_who(latest[batch.pk])) if batch.pk in latest else None,
        }
        for batch in paused
    ]


def _who(event: Any) -> int | None:
    return event.pgh_context.metadata.get("user") if event.pgh_context else None
