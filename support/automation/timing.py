"""Rules that act so long after something."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from support.automation.limits import Limits
from support.automation.running import act
from support.conditions import ConditionError, matching
from support.models import AutomationRule, RuleRun, Ticket
from support.models.ticket import UNSOLVED, Status, TicketQuerySet

# What can be counted from, in words that follow “after”.
MOMENTS = {
    "created_at": _("it was opened"),
    "unanswered_since": _("the customer began to wait"),
    "last_message_at": _("the last message"),
    "due_at": _("its deadline"),
    "solved_at": _("it was solved"),
}
SLICE = 200  # tickets a rule and round


def run_timed_rules() -> int:
    """Let every active rule on time act on the tickets whose time has come; how many.

    Once a ticket and moment, however many workers ask at once: whoever stores the run first acts.
    Of tickets that are not over; a rule that counts from solving acts on solved ones. A constant
    number of queries a rule, beside what it does.
    """
    rules = AutomationRule.objects.filter(is_active=True, after_minutes__isnull=False)
    stopped: set[int] = set()
    ran = 0
    for rule in rules.filter(after_field__in=list(MOMENTS)):
        tickets = [ticket for ticket in _due(rule) if ticket.pk not in stopped]
        limits = Limits(ticket.pk for ticket in tickets)
        for ticket in tickets:
            ran += _answer(rule, ticket, limits)
            if rule.stops:
                stopped.add(ticket.pk)
    return ran


def _due(rule: AutomationRule) -> list[Ticket]:
    assert rule.after_minutes is not None  # noqa: S101 - as it was found
    moment = rule.after_field
    before = timezone.now() - timedelta(minutes=rule.after_minutes)
    ran = RuleRun.objects.filter(rule=rule, ticket=OuterRef("pk"), moment=OuterRef(moment))
    try:
        tickets = matching(candidates(moment), rule.condition)
    except ConditionError:
        return []
    due = tickets.filter(~Exists(ran), **{f"{moment}__lte": before})
    return list(due.order_by(moment, "pk")[:SLICE])


def candidates(moment: str) -> TicketQuerySet:
    """The tickets that a rule counting from `moment` is about."""
    if moment == "solved_at":
        return Ticket.objects.filter(status=Status.SOLVED)
    return Ticket.objects.filter(status__in=UNSOLVED)


def _answer(rule: AutomationRule, ticket: Ticket, limits: Limits) -> bool:
    moment: Any = getattr(ticket, rule.after_field)
    with transaction.atomic():
        try:
            with transaction.atomic():
                run = RuleRun.objects.create(rule=rule, ticket=ticket, moment=moment)
        except IntegrityError:
            return False  # another worker was first
        if why := limits.why_not(ticket.pk, depth=0):
            limits.stop(run, why)
            return False
        limits.count(ticket.pk)
        act(run, depth=0)
    return True
