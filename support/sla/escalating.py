"""What a policy does about a missed deadline."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from backoffice.states import MoveError
from support.models import SlaPolicy, Ticket, TicketEvent
from support.sla.clocks import Clock
from support.tickets import assign, raise_priority, set_queue
from support.timeline import record_event

log = logging.getLogger(__name__)

REASON = "deadline missed"


def escalate(ticket: Ticket, policy: SlaPolicy, clock: Clock) -> None:
    """Raise the ticket's priority, hand it on or take it back, as `policy` says.

    What cannot be done (a queue that was closed, an agent who has left) is told in the timeline
    and keeps nothing else from being done. Once only: the caller knows what was told.
    """
    done, problems = [], {}
    for name, step in _steps(ticket, policy):
        try:
            with transaction.atomic():
                step()
            done.append(name)
        except (ValidationError, MoveError) as error:
            problems[name] = _words(error)
        except Exception as error:
            log.exception("%s cannot be escalated: %s", ticket.number, name)
            problems[name] = type(error).__name__
    if done or problems:
        record_event(
            ticket.pk,
            TicketEvent.Kind.ESCALATED,
            by=None,
            reason=REASON,
            clock=clock.name.value,
            policy=policy.pk,
            done=done,
            problems=problems,
        )


def _steps(ticket: Ticket, policy: SlaPolicy) -> list[tuple[str, Callable[[], Any]]]:
    steps: list[tuple[str, Callable[[], Any]]] = []
    band, queue, agent = policy.raise_to, policy.give_to, policy.give_to_agent
    if band:
        steps.append(("raised", lambda: raise_priority(ticket, band, by=None, reason=REASON)))
    if queue:
        steps.append(("queue", lambda: set_queue(ticket, queue, by=None, reason=REASON)))
    if agent:
        steps.append(("agent", lambda: assign(ticket, agent, by=None, reason=REASON)))
    elif policy.unassigns:
        steps.append(("unassigned", lambda: assign(ticket, None, by=None, reason=REASON)))
    return steps


def _words(error: ValidationError | MoveError) -> str:
    return "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
