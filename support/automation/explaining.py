"""What a rule does, in words, and what it would do to one ticket."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from support.actions import describe
from support.automation.timing import MOMENTS
from support.conditions import matching, parts_of
from support.models import AutomationRule, Ticket, TicketEvent


@dataclass(frozen=True)
class Sentence:
    """When `when`, if `condition`, then `does`."""

    when: str
    condition: str
    does: list[str]


@dataclass(frozen=True)
class Trial:
    """Whether a rule's condition fits a ticket as it is, and what the rule would do.

    `parts` are the comparisons of the condition, each with whether it is true of the ticket.
    """

    fits: bool
    parts: list[tuple[str, bool]]
    does: list[str]


def sentence(rule: AutomationRule) -> Sentence:
    kinds = dict(TicketEvent.Kind.choices)
    events = [str(kinds.get(kind, kind)) for kind in rule.on_events]
    moments = [_(" or ").join(events)] if events else []
    if rule.after_field and rule.after_minutes is not None:
        moments.append(
            _("%(time)s after %(moment)s")
            % {
                "time": _time(rule.after_minutes),
                "moment": MOMENTS.get(rule.after_field, rule.after_field),
            }
        )
    return Sentence(_(", or ").join(moments) or _("never"), rule.condition, describe(rule.actions))


def try_rule(rule: AutomationRule, ticket: Ticket) -> Trial:
    """Look, and change nothing. One query.

    Raises:
        ConditionError: the condition means nothing (any more).
    """
    here = Ticket.objects.filter(pk=ticket.pk)
    parts = parts_of(rule.condition)
    asked: dict[str, Any] = {
        f"part_{number}": Exists(matching(Ticket.objects.filter(pk=ticket.pk), part))
        for number, part in enumerate(parts)
    }
    whole = Exists(matching(Ticket.objects.filter(pk=ticket.pk), rule.condition))
    found: dict[str, Any] = dict(here.values(**asked, whole=whole).get())
    told = [(part, bool(found[f"part_{number}"])) for number, part in enumerate(parts)]
    return Trial(fits=bool(found["whole"]), parts=told, does=describe(rule.actions))


def _time(minutes: int) -> str:
    if minutes and minutes % (24 * 60) == 0:
        days = minutes // (24 * 60)
        return ngettext("%s day", "%s days", days) % days
    if minutes and minutes % 60 == 0:
        hours = minutes // 60
        return ngettext("%s hour", "%s hours", hours) % hours
    return ngettext("%s minute", "%s minutes", minutes) % minutes
