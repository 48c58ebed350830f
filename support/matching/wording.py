"""Why a ticket was matched, in words."""

from typing import Any

from django.utils.translation import gettext_lazy as _

_WHY: dict[str, Any] = {
    "exposed": _("The incident hit this customer."),
    "uses": _("The customer uses what is out of order."),
    "other_region": _("The customer uses it, but in another region."),
    "not_hit": _("The incident does not hit this customer."),
    "unknown": _("Who asks is no known customer."),
    "during": _("Written while it lasted."),
    "after": _("Written soon after it ended."),
    "too_early": _("Written before it began, or long after."),
    "topic": _("Speaks of what is out of order"),
    "component": _("Names the component"),
    "title": _("Shares words with the incident"),
    "other_service": _("Speaks of another service"),
    "all": _("Names no part, as if everything failed"),
    "number": _("Gives the incident's number"),
    "failure_strong": _("Says that nothing works"),
    "failure_general": _("Says that something fails"),
    "failure_weak": _("Says that something is slow or shaky"),
    "lately": _("Began lately"),
    "old": _("Has been so for longer"),
    "other_billing": _("Is about an invoice or payment"),
    "other_account": _("Is about a password or an account"),
    "other_sales": _("Is about an order, a plan or a move"),
    "other_feature": _("Asks how to do something"),
    "other_leaving": _("Is about leaving"),
    "other_device": _("Is about the customer's own device"),
    "other_praise": _("Is about something else altogether"),
}


def reasons(evidence: dict[str, Any]) -> list[tuple[str, list[str], int]]:
    """Each part of a match as (sentence, the customer's words, points), the weightiest first."""
    parts = sorted(evidence.get("parts", ()), key=lambda part: -abs(part["points"]))
    return [(str(_WHY.get(p["why"], p["why"])), p["words"], p["points"]) for p in parts]
