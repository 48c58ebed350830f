"""Rules that answer what happened."""

import logging
from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from backoffice.states import MoveError
from support.actions import describe, perform
from support.automation.limits import Limits, tell_failure
from support.conditions import ConditionError, matching
from support.models import AutomationRule, RuleRun, Ticket, TicketEvent
from support.timeline import caused_by_rule, record_event

log = logging.getLogger(__name__)


def run_event_rules(events: list[TicketEvent]) -> int:
    """Let every active rule answer these events, in the rules' order; how many ran.

    A rule sees what those before it have changed, and runs once an event. Three queries, one for
    each rule that is about such events, and another where it fits; what a rule does costs extra.
    What no person wrote (bounces, out-of-office answers, acknowledgements) sets no rule off.
    """
    rules = list(AutomationRule.objects.filter(is_active=True).exclude(on_events=[]))
    heard = [event for event in events if not event.data.get("automatic")]
    asked = {kind for rule in rules for kind in rule.on_events}
    heard = [event for event in heard if event.kind in asked]
    if not heard:
        return 0
    limits = Limits({event.ticket_id for event in heard})
    stopped: set[int] = set()
    ran = 0
    for rule in rules:
        mine = [one for one in heard if one.kind in rule.on_events and one.pk not in stopped]
        tickets = fitting(rule, {event.ticket_id for event in mine}) if mine else {}
        answered = _answered(rule, mine) if tickets else set()
        for event in mine:
            ticket = tickets.get(event.ticket_id)
            if ticket and event.pk not in answered:
                ran += _answer(rule, ticket, event, limits)
                if rule.stops:
                    stopped.add(event.pk)
    return ran


def fitting(rule: AutomationRule, ticket_ids: Iterable[int]) -> dict[int, Ticket]:
    """Those of the tickets that the rule's condition fits now. One query."""
    here = Ticket.objects.filter(pk__in=list(ticket_ids))
    try:
        return {ticket.pk: ticket for ticket in matching(here, rule.condition)}
    except ConditionError:
        # It was checked when it was saved; a later version knows the field no more.
        log.exception("The condition of rule %s means nothing any more", rule.pk)
        return {}


def _answered(rule: AutomationRule, events: list[TicketEvent]) -> set[int]:
    """Those of the events that the rule ran for already."""
    return set(rule.runs.filter(event__in=events).values_list("event_id", flat=True))


def _answer(rule: AutomationRule, ticket: Ticket, event: TicketEvent, limits: Limits) -> bool:
    run = RuleRun(rule=rule, ticket=ticket, event=event)
    if why := limits.why_not(ticket.pk, event.depth):
        limits.stop(run, why)
        return False
    run.save()
    limits.count(ticket.pk)
    act(run, depth=event.depth)
    return True


def act(run: RuleRun, *, depth: int) -> None:
    """Do what the run's rule does, all of it or nothing; why not is kept with the run.

    Whatever fails here harms nothing else: it is undone, kept, and told once a day.
    """
    rule, ticket = run.rule, run.ticket
    try:
        with transaction.atomic(), caused_by_rule(depth):
            record_event(
                ticket.pk,
                TicketEvent.Kind.RULE,
                by=None,
                rule=rule.pk,
                name=rule.name,
                does=describe(rule.actions),
            )
            perform(rule.actions, ticket, by=None, reason=f"rule “{rule.name}”")
    except (ValidationError, MoveError, PermissionDenied) as error:
        run.error = _words(error)
    except Exception as error:
        log.exception("Rule %s failed on ticket %s", rule.pk, ticket.pk)
        run.error = f"{type(error).__name__}: {error}"
    if run.error:
        run.error = run.error[:500]
        run.save(update_fields=["error"])
        tell_failure(rule, run)


def _words(error: Exception) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
